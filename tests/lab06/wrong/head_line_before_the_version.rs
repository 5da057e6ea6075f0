//! title: A later program's head line is taken for a damaged one
//! file: checkpoint.rs
//! caught by: step1_checkpoint::of_a_later_program_only_the_version_can_be_understood
//!
//! The head line is taken apart at once, and the version is then at hand. The first later program with
//! another check sum is reported as damage, and somebody looks for a disk that is failing.

pub fn open(bytes: &[u8]) -> Result<(Head, &[u8]), FormatError> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = String::from_utf8_lossy(&bytes[..end.min(MAX_HEAD_BYTES)]).into_owned();
    if line.split(' ').next() != Some(FORMAT) {
        return Err(FormatError::Foreign { found: line });
    }
    let Some(head) = Head::parse(&line) else { return Err(FormatError::BadHead { found: line }) };
    if head.version > VERSION {
        return Err(FormatError::Newer { found: head.version });
    }
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
