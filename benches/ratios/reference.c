/* What ipcsh is held against: the same work in plain C. One program, one subcommand each. */
#define _GNU_SOURCE
#include <sys/prctl.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct message { long type; char text[8192]; };

static void check(int ok, const char *what) {
    if (!ok) { perror(what); exit(1); }
}

static int queue(void) {
    int id = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
    check(id >= 0, "msgget");
    return id;
}

/* Makes queues, says the last one's id, and removes them all when its standard input ends:
   however its parent ends, even by SIGKILL. */
static void queues(int n) {
    signal(SIGINT, SIG_IGN), signal(SIGTERM, SIG_IGN), signal(SIGHUP, SIG_IGN), signal(SIGPIPE, SIG_IGN);
    int *ids = malloc(n * sizeof *ids), made = 0;
    while (made < n && (ids[made] = msgget(IPC_PRIVATE, IPC_CREAT | 0600)) >= 0) made++;
    printf("%d\n", made < n ? -1 : ids[n - 1]);
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0);
    while (made--) msgctl(ids[made], IPC_RMID, NULL);
}

/* Processes with eight descriptors each, which wait to read; they end with this one, which ends
   with its standard input. */
static void processes(int n) {
    for (int i = 0; i < n; i++) {
        if (fork() == 0) {
            int ends[2], pair[2];
            char byte;
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            check(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "pipe");
            check(open("/dev/null", O_RDONLY) >= 0, "/dev/null");
            check(read(ends[0], &byte, 1) > 0, "read");
        }
    }
    printf("%d\n", n);
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0);
}

static void raw_read(const char *path) {
    static char buffer[1 << 16];
    int fd = open(path, O_RDONLY);
    check(fd >= 0, path);
    while (read(fd, buffer, sizeof buffer) > 0);
}

static void send_receive(int n) {
    struct message m;
    int id = queue();
    while (n--) {
        m.type = 1, m.text[0] = 'x';
        check(msgsnd(id, &m, 1, 0) == 0, "msgsnd");
        check(msgrcv(id, &m, sizeof m.text, 0, 0) >= 0, "msgrcv");
    }
    msgctl(id, IPC_RMID, NULL);
}

static void create_remove(int n) {
    while (n--) check(msgctl(queue(), IPC_RMID, NULL) == 0, "msgctl");
}

/* `msgq send TYPE "TEXT"` and `msgq recv`, line by line, with a transcript. */
static void interpret(const char *path) {
    FILE *file = fopen(path, "r");
    check(file != NULL, path);
    struct message m;
    char line[256];
    int id = queue();
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = 0;
        char *end, *open;
        if (strncmp(line, "msgq send ", 10) == 0) {
            m.type = strtol(line + 10, &end, 10);
            open = strchr(end, '"');
            check(open != NULL && strrchr(line, '"') > open, line);
            size_t length = strrchr(line, '"') - open - 1;
            memcpy(m.text, open + 1, length);
            check(msgsnd(id, &m, length, 0) == 0, "msgsnd");
            printf("%s => ok\n", line);
        } else if (strcmp(line, "msgq recv") == 0) {
            ssize_t length = msgrcv(id, &m, sizeof m.text, 0, 0);
            check(length >= 0, "msgrcv");
            printf("%s => type=%ld \"%.*s\"\n", line, m.type, (int)length, m.text);
        } else {
            check(0, line);
        }
    }
    msgctl(id, IPC_RMID, NULL);
}

/* There and back between two processes, `n` times, with the bytes of a small order. */
static void ping_pong(int n) {
    int ends[2];
    char buffer[64] = {0};
    check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    pid_t child = fork();
    check(child >= 0, "fork");
    int end = ends[child == 0];
    close(ends[child != 0]);
    if (child == 0) {
        while (read(end, buffer, sizeof buffer) == sizeof buffer) check(write(end, buffer, sizeof buffer) > 0, "write");
        _exit(0);
    }
    while (n--) {
        check(write(end, buffer, sizeof buffer) > 0, "write");
        check(read(end, buffer, sizeof buffer) > 0, "read");
    }
    close(end);
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    const char *what = argv[1];
    int n = atoi(argv[2]);
    if (strcmp(what, "queues") == 0) queues(n);
    else if (strcmp(what, "processes") == 0) processes(n);
    else if (strcmp(what, "read") == 0) raw_read(argv[2]);
    else if (strcmp(what, "send-receive") == 0) send_receive(n);
    else if (strcmp(what, "create-remove") == 0) create_remove(n);
    else if (strcmp(what, "interpret") == 0) interpret(argv[2]);
    else if (strcmp(what, "ping-pong") == 0) ping_pong(n);
    else return 2;
    return 0;
}
