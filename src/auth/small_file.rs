//! Small files with secrets or certificates, read when they are needed, so that a renewed one counts at once.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::policy::settings::SecretSource;

/// Longest secret in a file, in bytes.
const MAX_SECRET: u64 = 4 << 10;

/// The bytes of a file of at most this many.
pub(super) fn read(file: &Path, most: u64) -> io::Result<Vec<u8>> {
    bytes(File::open(file)?, most)
}

fn bytes(file: File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::other(format!(
            "is over the limit of {most} bytes"
        )));
    }
    Ok(bytes)
}

/// The secret in a file, without the line end after it. A file everybody may read holds no secret.
pub(super) fn secret(path: &Path) -> io::Result<String> {
    let file = File::open(path)?;
    if file.metadata()?.permissions().mode() & 0o007 != 0 {
        return Err(io::Error::other(
            "everybody on this machine may read or change it; run: chmod o= on it",
        ));
    }
    let text = String::from_utf8(bytes(file, MAX_SECRET)?)
        .map_err(|_| io::Error::other("is not UTF-8 text"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() || text.contains(['\r', '\n', '\0']) {
        return Err(io::Error::other("has to hold one line with the secret"));
    }
    Ok(text.to_owned())
}

/// The secret kept there. `credentials` is where systemd puts credentials, if it gave us any. What is wrong
/// otherwise, and never what is in the file.
pub(super) fn from_source(
    source: &SecretSource,
    credentials: Option<&Path>,
) -> Result<String, String> {
    let file: PathBuf = match (source, credentials) {
        (SecretSource::File(file), _) => file.clone(),
        (SecretSource::Credential(name), Some(folder)) => folder.join(name),
        (SecretSource::Credential(name), None) => {
            return Err(format!(
                "the credential {name:?}: systemd gave us none; start it as a unit with LoadCredential="
            ));
        }
    };
    secret(&file).map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_one_line_in_a_file_not_everybody_may_read() {
        let temp = tempfile::tempdir().unwrap();
        let file = temp.path().join("secret");
        let with = |text: &str, mode| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
            secret(&file).map_err(|error| error.to_string())
        };
        assert_eq!(with("s3cret\n", 0o640).unwrap(), "s3cret");
        for mode in [0o644, 0o602, 0o601] {
            assert!(with("s3cret\n", mode).unwrap_err().contains("chmod"));
        }
        for empty in ["", "\n", "a\nb", "a\0b"] {
            assert!(with(empty, 0o600).is_err());
        }
        assert!(with(&"x".repeat(4096), 0o600).is_ok());
        assert!(with(&"x".repeat(4097), 0o600).is_err());
    }
}
