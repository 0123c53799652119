//! Files that a text names: read to their end, which must come.

use std::fs::File;
use std::io::{self, Error, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

/// More than any message or script can be.
const LIMIT: u64 = 64 << 20;

/// A regular file's bytes. A device may have no end, and to open a FIFO waits for a writer.
pub fn read_regular(path: &Path) -> io::Result<Vec<u8>> {
    must_be_regular(path)?;
    read_limited(File::open(path)?)
}

/// Says what stands there where it is no regular file, which to open might wait for ever.
pub fn must_be_regular(path: &Path) -> io::Result<()> {
    let kind = std::fs::metadata(path)?.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a FIFO",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(Error::other(format!("it is {what}, not a regular file")))
}

/// All that can be read, where that is not too much.
pub fn read_limited(input: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(LIMIT + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LIMIT {
        true => Err(Error::other(format!(
            "it holds more than {} MiB",
            LIMIT >> 20
        ))),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_regular_and_has_an_end_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let read = |path: &Path| read_regular(path).map_err(|e| e.to_string());
        std::fs::write(path("small"), "hi").unwrap();
        assert_eq!(read(&path("small")), Ok(b"hi".to_vec()));
        // A file may say that it is empty, and hold something.
        assert!(!read(Path::new("/proc/self/status")).unwrap().is_empty());
        let huge = File::create(path("huge")).unwrap();
        huge.set_len(LIMIT + 1).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        for (path, why) in [
            (Path::new("/dev/zero"), "a device"),
            (&path("fifo"), "a FIFO"),
            (Path::new("/"), "a directory"),
            (&path("huge"), "more than 64 MiB"),
            (&path("none"), "No such file"),
        ] {
            let error = read(path).unwrap_err();
            assert!(error.contains(why), "{}: {error}", path.display());
        }
    }
}
