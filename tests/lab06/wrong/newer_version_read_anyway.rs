//! title: A later version is read as if it were this one
//! file: checkpoint.rs
//! caught by: step1_checkpoint::a_checkpoint_of_a_later_program_is_refused_by_its_version
//!
//! Later programs can read what earlier ones wrote, so it should work the other way round for most
//! fields. What it doesn't do is say which field has another meaning now.

pub fn open(bytes: &[u8]) -> Result<(Head, &[u8]), FormatError> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = String::from_utf8_lossy(&bytes[..end.min(MAX_HEAD_BYTES)]).into_owned();
    if line.split(' ').next() != Some(FORMAT) {
        return Err(FormatError::Foreign { found: line });
    }
    let Some(head) = Head::parse(&line) else { return Err(FormatError::BadHead { found: line }) };
    let body = bytes.get(end + 1..).unwrap_or_default();
    if body.len() != head.bytes {
        return Err(FormatError::OtherLength { expected: head.bytes, found: body.len() });
    }
    let found = crc32fast::hash(body);
    if found != head.crc32 {
        return Err(FormatError::OtherChecksum { expected: head.crc32, found });
    }
    Ok((head, body))
}
