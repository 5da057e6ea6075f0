//! title: The check sum is written and never looked at
//! file: checkpoint.rs
//! caught by: step1_checkpoint::a_byte_that_is_not_what_it_was_is_found_wherever_it_is
//!
//! JSON that has been damaged can't be read, and so the reader of JSON is the check. It is one for
//! brackets. For a digit that has become another digit it is none.

pub fn open(bytes: &[u8]) -> Result<(Head, &[u8]), FormatError> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = String::from_utf8_lossy(&bytes[..end.min(MAX_HEAD_BYTES)]).into_owned();
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
    Ok((head, body))
}
