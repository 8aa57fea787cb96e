//! Ten gibibytes of zeros: refused by default, and through a small process where the limits are raised.

use std::io::{self, Read};
use std::process::Command;

use adf_archive::{Limits, Wanted, repack};
use adf_types::Digest;
use flate2::{Compress, Compression, Crc, FlushCompress};

use crate::craft::app;
use crate::passing::Counter;

const GIB: u64 = 1 << 30;
const ZEROS: u64 = 10 * GIB;
const BLOCK: u64 = 1 << 20;

/// What a process may grow by while it reads them.
const GROWTH_KIB: u64 = 64 << 10;

/// The variable that makes a test the process that is measured.
const MEASURED: &str = "ADF_ARCHIVE_MEASURED";

/// `head`, then [`ZEROS`] zeros, then `tail`, as one gzip member that is made while it is read.
struct Zeros {
    parts: Vec<(Vec<u8>, u64)>,
    at: usize,
}

impl Zeros {
    fn between(head: &[u8], tail: &[u8]) -> Self {
        let zeros = vec![0; usize::try_from(BLOCK).expect("small")];
        let mut checksum = Crc::new();
        checksum.update(head);
        let (mut block, mut rest) = (Crc::new(), Crc::new());
        block.update(&zeros);
        rest.update(tail);
        (0..ZEROS / BLOCK).for_each(|_| checksum.combine(&block));
        checksum.combine(&rest);
        let length = head.len() as u64 + ZEROS + tail.len() as u64;
        let mut trailer = vec![3, 0];
        trailer.extend_from_slice(&checksum.sum().to_le_bytes());
        trailer.extend_from_slice(&length.to_le_bytes()[..4]);
        let start = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        let parts = vec![
            (start, 1),
            (deflated(head), 1),
            (deflated(&zeros), ZEROS / BLOCK),
            (deflated(tail), 1),
            (trailer, 1),
        ];
        Self { parts, at: 0 }
    }
}

/// Deflate blocks that can stand anywhere in a stream: they end on a byte and refer to nothing before them.
fn deflated(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 4096);
    let mut compress = Compress::new(Compression::default(), false);
    compress.compress_vec(data, &mut out, FlushCompress::Full).expect("in memory");
    out
}

impl Read for Zeros {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let Some((part, times)) = self.parts.first_mut() else { return Ok(0) };
        let n = buf.len().min(part.len() - self.at);
        buf[..n].copy_from_slice(&part[self.at..self.at + n]);
        self.at += n;
        if self.at == part.len() {
            (*times, self.at) = (*times - 1, 0);
            if *times == 0 {
                self.parts.remove(0);
            }
        }
        Ok(n)
    }
}

/// A tar of the app and one file of zeros.
fn tar_of_zeros() -> Zeros {
    let mut header = tar::Header::new_gnu();
    header.set_path("web-v1/zeros").expect("short");
    header.set_mode(0o644);
    header.set_size(ZEROS);
    header.set_cksum();
    Zeros::between(&[app().0.as_slice(), header.as_bytes()].concat(), &[0; 1024])
}

fn raised() -> Wanted {
    let limits = Limits { unpacked: 100 * GIB, ratio: u64::MAX, ..Limits::default() };
    // A tree digest adds the hash of each file's content to the work.
    Wanted { digest: Some(Digest::Tree([0; 32])), limits, ..Wanted::default() }
}

/// Runs `work` in a process of its own, this very test, and tells by how many KiB its peak grew.
fn growth(test: &str, work: impl FnOnce()) -> Option<u64> {
    if std::env::var_os(MEASURED).is_some() {
        let before = status("VmRSS:");
        work();
        println!("\ngrew by {}", status("VmHWM:") - before);
        return None;
    }
    let this = std::env::current_exe().expect("a path");
    let output = Command::new(this).args(["--exact", test, "--nocapture"]).env(MEASURED, "1").output();
    let output = output.expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let line = said.lines().find_map(|line| line.strip_prefix("grew by ")).expect("what it grew by");
    Some(line.parse().expect("a number"))
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("the field");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn stays_flat(test: &str, work: impl FnOnce()) {
    if let Some(grew) = growth(test, work) {
        println!("grew by {grew} KiB");
        assert!(grew <= GROWTH_KIB, "{grew} KiB");
    }
}

#[test]
fn attack_a04_ten_gibibytes_of_zeros_in_a_gzip_are_refused_in_flat_memory() {
    stays_flat("memory::attack_a04_ten_gibibytes_of_zeros_in_a_gzip_are_refused_in_flat_memory", || {
        let mut sent = Counter::default();
        let error = repack(Zeros::between(&[], &[]), None, &raised(), &mut sent).expect_err("no tar");
        assert_eq!(error.to_string(), "E139 the archive has no entries");
        let error =
            repack(Zeros::between(&app().0, &[]), None, &Wanted::default(), &mut sent).expect_err("a bomb");
        assert_eq!(
            error.to_string(),
            "E143 the archive was refused: it unpacks to more than 200 times its size"
        );
        assert_eq!(sent, Counter::default());
    });
}

#[test]
fn attack_a04_a_file_of_ten_gibibytes_passes_in_flat_memory_where_the_limits_are_raised() {
    stays_flat(
        "memory::attack_a04_a_file_of_ten_gibibytes_passes_in_flat_memory_where_the_limits_are_raised",
        || {
            let error = repack(tar_of_zeros(), None, &Wanted::default(), &mut Counter::default())
                .expect_err("a bomb");
            assert!(error.to_string().starts_with("E143"), "{error}");
            let mut sent = Counter::default();
            let error = repack(tar_of_zeros(), None, &raised(), &mut sent).expect_err("another tree");
            assert!(error.to_string().starts_with("E140"), "{error}");
            assert!(sent.bytes > ZEROS - BLOCK && !sent.ended, "{sent:?}");
        },
    );
}
