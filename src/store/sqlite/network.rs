//! File systems that lie on another machine. SQLite's WAL needs memory that all writers share, and locks
//! that hold: over a network two writers may damage the file without a word.

use crate::failure::Failure;
use std::path::Path;

/// Refuses a store on a file system of another machine. Where that cannot be told, nothing is refused.
#[cfg(target_os = "linux")]
pub fn refuse(path: &Path) -> Result<(), Failure> {
    use std::os::linux::fs::MetadataExt as _;
    let place = if path.exists() { path } else { parent(path) };
    let Ok(system) = rustix::fs::statfs(place) else { return Ok(()) };
    let name = match u32::try_from(system.f_type & 0xffff_ffff) {
        Ok(FUSE) => {
            // Many systems speak FUSE, local ones too. The table of mounts knows which one it is.
            let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            let device = std::fs::metadata(place).map_or(0, |file| file.st_dev());
            let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
            fuse_of(&mounts, &format!("{major}:{minor}"))
        }
        Ok(kind) => of_kind(kind).map(str::to_owned),
        Err(_) => None,
    };
    name.map_or(Ok(()), |name| Err(refusal(path, &name)))
}

#[cfg(not(target_os = "linux"))]
pub fn refuse(_path: &Path) -> Result<(), Failure> {
    Ok(())
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn refusal(path: &Path, system: &str) -> Failure {
    Failure::new(format!("could not open the store `{}`", path.display()))
        .because(format_args!(
            "it lies on a network file system ({system}), where writers cannot keep out of each other's way"
        ))
        .next("name a file on a local disk with `--store`, or a Redis if several machines share it")
}

/// As in Linux's `magic.h`.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
const FUSE: u32 = 0x6573_5546;

/// Returns the name of a network file system, by its magic number.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn of_kind(kind: u32) -> Option<&'static str> {
    Some(match kind {
        0x0000_6969 => "NFS",
        0x0000_517b => "SMB",
        0xff53_4d42 => "CIFS",
        0xfe53_4d42 => "SMB2",
        0x0102_1997 => "9p",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x0000_564c => "NCP",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x1980_0202 => "GPFS",
        0x7461_636f => "OCFS2",
        0x0116_1970 => "GFS2",
        _ => return None,
    })
}

/// Returns the name of a network file system behind FUSE: of the mounts with this device, the last is on
/// top. A line of the table: `36 35 98:0 /root /mount options … - type source options`.
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn fuse_of(mounts: &str, device: &str) -> Option<String> {
    const REMOTE: &[&str] = &[
        "sshfs",
        "s3fs",
        "rclone",
        "glusterfs",
        "gvfsd-fuse",
        "davfs",
        "davfs2",
        "curlftpfs",
        "smbnetfs",
        "gcsfuse",
        "goofys",
        "juicefs",
        "cephfs",
        "moosefs",
        "mfs",
        "seaweedfs",
    ];
    let line = mounts.lines().rfind(|line| line.split(' ').nth(2) == Some(device))?;
    let kind = line.split_once(" - ")?.1.split(' ').next()?;
    let name = kind.strip_prefix("fuse.")?;
    REMOTE.contains(&name).then(|| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_of_other_machines_are_told_from_local_ones() {
        for (kind, name) in [
            (0x6969, Some("NFS")),
            (0xff53_4d42, Some("CIFS")),
            (0xfe53_4d42, Some("SMB2")),
            (0x517b, Some("SMB")),
            (0x0102_1997, Some("9p")),
            (0x00c3_6400, Some("Ceph")),
            (0xef53, None),
            (0x5846_5342, None),
            (0x9123_683e, None),
            (0x0102_1994, None),
            (0x794c_7630, None),
            (0x2fc1_2fc1, None),
            (0, None),
        ] {
            assert_eq!(of_kind(kind), name, "{kind:#x}");
        }
    }

    #[test]
    fn what_stands_behind_fuse_is_looked_up() {
        let mounts = "\
            21 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
            40 21 0:50 / /mnt/far rw,nosuid shared:1 - fuse.sshfs user@host:/ rw\n\
            41 21 0:51 / /mnt/usb rw - fuseblk /dev/sdb1 rw\n\
            42 21 0:52 / /mnt/union rw - fuse.mergerfs a:b rw\n\
            43 21 0:53 / /mnt/s3 rw - fuse.s3fs s3fs rw\n";
        for (device, name) in [
            ("0:50", Some("fuse.sshfs")),
            ("0:53", Some("fuse.s3fs")),
            ("0:51", None),
            ("0:52", None),
            ("8:1", None),
            ("9:9", None),
        ] {
            assert_eq!(fuse_of(mounts, device).as_deref(), name, "{device}");
        }
        assert_eq!(fuse_of("torn", "0:1"), None);
    }

    #[test]
    fn the_refusal_says_where_else_it_could_lie() {
        let text = refusal(Path::new("/net/presence.db"), "NFS").to_string();
        assert!(text.contains("`/net/presence.db`") && text.contains("NFS"), "{text}");
        assert!(text.contains("local disk"), "{text}");
    }

    #[test]
    fn a_local_disk_is_not_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        refuse(&directory.path().join("presence.db")).expect("local");
    }
}
