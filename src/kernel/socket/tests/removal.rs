use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::UnixListener;

use super::*;

#[test]
fn only_the_file_that_is_meant_is_removed_and_no_link_is_followed_to_it() {
    let work = tempfile::tempdir().unwrap();
    let work = work.path().canonicalize().unwrap();
    let real = work.join("real");
    std::fs::create_dir(&real).unwrap();
    let path = real.join("s");
    drop(UnixListener::bind(&path).unwrap());
    let meta = path.symlink_metadata().unwrap();
    let remove = |path: &std::path::Path, ino| remove_this(path, meta.dev(), ino);

    let link = work.join("link");
    symlink(&real, &link).unwrap();
    assert_eq!(remove(&link.join("s"), meta.ino()), Err(Errno::ELOOP));
    assert_eq!(remove(&path, meta.ino() + 1), Err(Errno::ESTALE));
    let file = real.join("f");
    std::fs::write(&file, "").unwrap();
    let other = file.symlink_metadata().unwrap().ino();
    assert_eq!(remove(&file, other), Err(Errno::ESTALE), "no socket");
    assert!(path.exists() && file.exists());

    assert_eq!(remove(&path, meta.ino()), Ok(()));
    assert_eq!(remove(&path, meta.ino()), Err(Errno::ENOENT));
}
