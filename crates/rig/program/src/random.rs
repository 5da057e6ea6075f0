//! Words that nobody can guess: passwords, tokens, ids.

use std::fs;
use std::io::Read;
use std::path::Path;

use crate::failure::Failure;

/// 128 bits from the system's source of randomness, in hexadecimal.
///
/// # Errors
/// When the system has no such source.
pub fn random_word() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    let source = Path::new("/dev/urandom");
    fs::File::open(source)
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(Failure::of_file("read", source))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
