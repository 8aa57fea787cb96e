//! What a container must not be able to do: each is tried, one line each, `can` or `cannot`.

use std::ffi::{CString, c_char, c_int, c_ulong, c_void};

// The C library that std links anyway.
unsafe extern "C" {
    fn socket(domain: c_int, kind: c_int, protocol: c_int) -> c_int;
    fn mount(source: *const c_char, target: *const c_char, kind: *const c_char, flags: c_ulong, data: *const c_void) -> c_int;
    fn mknod(path: *const c_char, mode: u32, device: u64) -> c_int;
    fn chroot(path: *const c_char) -> c_int;
    fn kill(process: c_int, signal: c_int) -> c_int;
}

const AF_INET: c_int = 2;
const SOCK_RAW: c_int = 3;
const ICMP: c_int = 1;
const BLOCK_DEVICE: u32 = 0o60_600;

pub fn report() {
    let text = |text: &str| CString::new(text).expect("no NUL");
    let (none, root, proc, disk) = (text("none"), text("/"), text("proc"), text("/disk"));
    // Safe: plain system calls with valid strings; each must fail.
    let tried = unsafe {
        [
            ("open a raw socket", socket(AF_INET, SOCK_RAW, ICMP) >= 0),
            ("mount proc", mount(none.as_ptr(), root.as_ptr(), proc.as_ptr(), 0, std::ptr::null()) == 0),
            ("make a device node", mknod(disk.as_ptr(), BLOCK_DEVICE, 0x0100) == 0),
            ("change its root", chroot(root.as_ptr()) == 0),
        ]
    };
    for (what, done) in tried {
        say(what, done);
    }
    say("see Docker's socket", ["/run/docker.sock", "/var/run/docker.sock"].iter().any(|p| std::fs::metadata(p).is_ok()));
    say("see the host's processes", std::fs::read_dir("/proc").is_ok_and(|all| all.flatten().filter(is_process).count() > 4));
    say("see the host's network", std::fs::read_to_string("/proc/net/dev").is_ok_and(|text| text.contains("docker0")));
    say("write a kernel setting", std::fs::write("/proc/sys/kernel/core_pattern", "|/x").is_ok());
    say("read the kernel's memory", std::fs::File::open("/proc/kcore").is_ok_and(|mut f| std::io::Read::read(&mut f, &mut [0; 64]).is_ok_and(|n| n > 0)));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    for line in status.lines().filter(|l| ["NoNewPrivs", "CapEff", "CapBnd"].iter().any(|k| l.starts_with(k))) {
        println!("{}", line.replace(['\t', ' '], ""));
    }
    for line in std::fs::read_to_string("/proc/self/limits").unwrap_or_default().lines().filter(|l| l.starts_with("Max core")) {
        println!("{}", line.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    println!("process {} has a parent {}", std::process::id(), unsafe { kill(1, 0) } == 0);
}

fn is_process(entry: &std::fs::DirEntry) -> bool {
    entry.file_name().to_string_lossy().chars().all(|c| c.is_ascii_digit())
}

fn say(what: &str, can: bool) {
    println!("{} {what}", if can { "can" } else { "cannot" });
}
