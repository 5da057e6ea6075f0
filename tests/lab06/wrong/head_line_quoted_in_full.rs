//! title: Somebody else's first line is quoted, however long
//! file: checkpoint.rs
//! caught by: step1_checkpoint::a_line_without_an_end_is_not_quoted_to_its_end
//!
//! The error quotes the line that was found. In a file that is something else there may be no line feed
//! at all, and the log gets all of it.

pub fn open(bytes: &[u8]) -> Result<(Head, &[u8]), FormatError> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = String::from_utf8_lossy(&bytes[..end]).into_owned();
    if line.split(' ').next() != Some(FORMAT) {
        return Err(FormatError::Foreign { found: line });
    }
    if let Some(found) = Head::version_in(&line).filter(|version| *version > VERSION) {
        return Err(FormatError::Newer { found });
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
