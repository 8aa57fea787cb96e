//! The whole pass: from compressed bytes to verified tar chunks.

use std::io::Read;

use adf_types::Digest;

use crate::error::{ArchiveError, Cause};
use crate::gate::{Gate, Outlet};
use crate::gunzip::Gunzip;
use crate::walk::walk;
use crate::{Summary, Wanted};

/// Reads an archive to its end and tells `outlet` what of it goes into the build. `content_type` is what the server
/// called it, for the message when it is no archive.
pub fn repack<R: Read, O: Outlet>(
    source: R,
    content_type: Option<String>,
    wanted: &Wanted,
    outlet: O,
) -> Result<Summary, ArchiveError> {
    let cause = Cause::default();
    let mut gunzip = Gunzip::new(source, content_type, wanted, cause.clone())?;
    let mut gate = Gate::new(outlet, wanted.known.settings.clone(), wanted.limits.head, cause.clone());
    let walked = walk(&mut gunzip, &mut gate, wanted).map_err(|e| cause.take_or(|| e))?;
    drain(&mut gunzip).map_err(|e| cause.take_or(|| e))?;
    let whole = gunzip.finish()?;
    verify(wanted, &whole.digest, walked.tree)?;
    let signed = match (&wanted.signed, whole.verifier) {
        (Some(signed), Some(verifier)) => Some(signed.finish(verifier)?),
        _ => None,
    };
    gate.release()?;
    Ok(Summary {
        digest: whole.digest,
        entries: walked.entries,
        unpacked: whole.unpacked,
        left_out: walked.left_out,
        signed,
        dockerfile: walked.dockerfile,
    })
}

/// Behind the end marker only zeros may stand: anything else is content that other unpackers might see.
fn drain(rest: &mut impl Read) -> Result<(), ArchiveError> {
    let mut buffer = [0; 8192];
    loop {
        match rest.read(&mut buffer).map_err(|e| ArchiveError::Damaged(e.to_string()))? {
            0 => return Ok(()),
            n if buffer[..n].iter().any(|b| *b != 0) => {
                return Err(ArchiveError::Tar("more entries behind its end marker".to_owned()));
            }
            _ => {}
        }
    }
}

fn verify(wanted: &Wanted, bytes: &Digest, tree: Option<Digest>) -> Result<(), ArchiveError> {
    let Some(want) = &wanted.digest else { return Ok(()) };
    let got = tree.unwrap_or_else(|| bytes.clone());
    if *want == got { Ok(()) } else { Err(ArchiveError::Digest { want: want.clone(), got }) }
}
