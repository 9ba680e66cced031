//! The user database and the groups of this process, which no crate reads safely. The process has one
//! thread.

#![expect(
    unsafe_code,
    reason = "no crate offers these calls safely; each block says why it is sound"
)]

use std::ffi::{CStr, OsStr, OsString, c_char, c_int};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;
use std::ptr;

use super::account::Account;
use super::unix::{c_string, check};

/// Longest entry of the user or group database, in bytes.
const MAX_ENTRY: usize = 1 << 20;
/// Most groups of one account; the kernel's own limit (`NGROUPS_MAX`).
const MAX_GROUPS: c_int = 65_536;
/// # Safety
/// A pointer that isn't null must point to a NUL-terminated string.
unsafe fn text(pointer: *const c_char) -> OsString {
    if pointer.is_null() {
        return OsString::new();
    }
    // SAFETY: the caller's promise; the bytes are copied.
    OsString::from_vec(unsafe { CStr::from_ptr(pointer) }.to_bytes().to_vec())
}

/// Looks something up with a growing buffer for its strings.
fn look_up<T, R>(
    call: impl Fn(*mut T, *mut c_char, usize, *mut *mut T) -> c_int,
    read: impl FnOnce(&T) -> R,
) -> Option<R> {
    let mut size = 4096;
    loop {
        let mut entry = MaybeUninit::<T>::uninit();
        let mut found = ptr::null_mut();
        let mut strings = vec![0_u8; size];
        let status = call(
            entry.as_mut_ptr(),
            strings.as_mut_ptr().cast(),
            strings.len(),
            &raw mut found,
        );
        if status == libc::ERANGE && size < MAX_ENTRY {
            size *= 4;
        } else if status != 0 || found.is_null() {
            return None;
        } else {
            // SAFETY: a non-null result means the entry was filled in; its strings are in `strings`,
            // which lives as long as `read` runs.
            return Some(read(unsafe { entry.assume_init_ref() }));
        }
    }
}

fn account(entry: &libc::passwd) -> Account {
    // SAFETY: the strings of a found entry are NUL-terminated.
    unsafe {
        Account {
            name: text(entry.pw_name).to_string_lossy().into_owned(),
            uid: entry.pw_uid,
            gid: entry.pw_gid,
            home: PathBuf::from(text(entry.pw_dir)),
            shell: PathBuf::from(text(entry.pw_shell)),
        }
    }
}

/// The account of this name.
pub(super) fn account_named(name: &str) -> Option<Account> {
    let name = c_string(OsStr::new(name)).ok()?;
    look_up(
        // SAFETY: all pointers are valid for the call and the length is that of the buffer.
        |entry, strings, size, found| unsafe {
            libc::getpwnam_r(name.as_ptr(), entry, strings, size, found)
        },
        account,
    )
}

/// The id of the group of this name.
pub(super) fn group_named(name: &str) -> Option<u32> {
    let name = c_string(OsStr::new(name)).ok()?;
    look_up(
        // SAFETY: as above.
        |entry, strings, size, found| unsafe {
            libc::getgrnam_r(name.as_ptr(), entry, strings, size, found)
        },
        |entry: &libc::group| entry.gr_gid,
    )
}

/// The name of a group.
pub(super) fn group_name(gid: u32) -> Option<String> {
    look_up(
        // SAFETY: as above.
        |entry, strings, size, found| unsafe { libc::getgrgid_r(gid, entry, strings, size, found) },
        |entry: &libc::group| {
            // SAFETY: the strings of a found entry are NUL-terminated.
            let name = unsafe { text(entry.gr_name) };
            name.to_string_lossy().into_owned()
        },
    )
}

/// Ids of all groups of an account.
pub(super) fn groups_of(account: &Account) -> Vec<u32> {
    let Ok(name) = c_string(OsStr::new(&account.name)) else {
        return Vec::new();
    };
    let mut count = 64;
    loop {
        let mut groups = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: the array has `count` places and the name ends with NUL.
        let status = unsafe {
            libc::getgrouplist(
                name.as_ptr(),
                account.gid,
                groups.as_mut_ptr(),
                &raw mut count,
            )
        };
        let found = usize::try_from(count).unwrap_or(0);
        if status >= 0 {
            groups.truncate(found);
            return groups;
        }
        if count > MAX_GROUPS || found <= groups.len() {
            return Vec::new();
        }
    }
}

/// Takes the account's supplementary groups, before PAM modules add theirs (`pam_setcred(3)`).
pub(super) fn take_groups(groups: &[u32]) -> io::Result<()> {
    // SAFETY: pointer and length are of one slice.
    check(unsafe { libc::setgroups(groups.len(), groups.as_ptr()) })
}

/// The supplementary groups this process has.
pub(super) fn own_groups() -> io::Result<Vec<u32>> {
    // SAFETY: with 0 nothing is written.
    let count = unsafe { libc::getgroups(0, ptr::null_mut()) };
    let mut groups = vec![0; usize::try_from(count).unwrap_or(0)];
    // SAFETY: the array has `count` places.
    let count = unsafe { libc::getgroups(count, groups.as_mut_ptr()) };
    check(count)?;
    groups.truncate(usize::try_from(count).unwrap_or(0));
    Ok(groups)
}
