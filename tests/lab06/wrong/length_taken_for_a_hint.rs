//! title: As many bytes are read as the head line says
//! file: checkpoint.rs
//! caught by: step1_checkpoint::what_stands_behind_the_end_is_refused
//!
//! The head line says where the contents end, so what stands behind them does not matter. It is the
//! beginning of something that nobody has written on purpose.

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
    let Some(body) = body.get(..head.bytes) else {
        return Err(FormatError::OtherLength { expected: head.bytes, found: body.len() });
    };
    let found = crc32fast::hash(body);
    if found != head.crc32 {
        return Err(FormatError::OtherChecksum { expected: head.crc32, found });
    }
    Ok((head, body))
}
