//! Linux-PAM behind [`gatepost::login::Pam`]. Compiled into `gatepost-login` only, so that no other
//! executable is linked with libpam.

#![expect(
    unsafe_code,
    reason = "libpam is a C library; each block says why it is sound"
)]

use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::marker::PhantomData;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::ptr;

use gatepost::login::{Call, Item, Library, Pam, PamFailure, Start, Talk};
use gatepost::wire::login::{MAX_MESSAGE, Message, Style, cut};

/// `pam_conv(3)`.
#[repr(C)]
struct PamMessage {
    style: c_int,
    text: *const c_char,
}

/// The same.
#[repr(C)]
struct PamResponse {
    text: *mut c_char,
    unused: c_int,
}

/// The same.
#[repr(C)]
struct PamConv {
    converse:
        extern "C" fn(c_int, *mut *const PamMessage, *mut *mut PamResponse, *mut c_void) -> c_int,
    data: *mut c_void,
}

/// Opaque.
#[repr(C)]
struct PamHandle {
    _private: [u8; 0],
    _neither: PhantomData<*mut u8>,
}

/// Numbers of `_pam_types.h`, which are Linux-PAM's ABI.
mod number {
    use std::ffi::c_int;

    pub(super) const SUCCESS: c_int = 0;
    pub(super) const NEW_AUTHTOK_REQD: c_int = 12;
    pub(super) const CONV_ERR: c_int = 19;
    pub(super) const USER: c_int = 2;
    pub(super) const TTY: c_int = 3;
    pub(super) const RHOST: c_int = 4;
    pub(super) const PROMPT_ECHO_OFF: c_int = 1;
    pub(super) const PROMPT_ECHO_ON: c_int = 2;
    pub(super) const ERROR_MSG: c_int = 3;
    pub(super) const TEXT_INFO: c_int = 4;
    pub(super) const ESTABLISH_CRED: c_int = 0x2;
    pub(super) const DELETE_CRED: c_int = 0x4;
    pub(super) const REINITIALIZE_CRED: c_int = 0x8;
    pub(super) const CHANGE_EXPIRED_AUTHTOK: c_int = 0x20;
    pub(super) const MAX_NUM_MSG: c_int = 32;
}

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_start(
        service: *const c_char,
        user: *const c_char,
        conversation: *const PamConv,
        handle: *mut *mut PamHandle,
    ) -> c_int;
    fn pam_start_confdir(
        service: *const c_char,
        user: *const c_char,
        conversation: *const PamConv,
        folder: *const c_char,
        handle: *mut *mut PamHandle,
    ) -> c_int;
    fn pam_end(handle: *mut PamHandle, status: c_int) -> c_int;
    fn pam_authenticate(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_acct_mgmt(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_chauthtok(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_setcred(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_open_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_close_session(handle: *mut PamHandle, flags: c_int) -> c_int;
    fn pam_set_item(handle: *mut PamHandle, item: c_int, value: *const c_void) -> c_int;
    fn pam_get_item(handle: *const PamHandle, item: c_int, value: *mut *const c_void) -> c_int;
    fn pam_getenvlist(handle: *mut PamHandle) -> *mut *mut c_char;
    fn pam_strerror(handle: *mut PamHandle, status: c_int) -> *const c_char;
}

/// Linux-PAM.
pub(crate) struct Libpam;

/// A transaction. The conversation's address is libpam's, so it is boxed and never moved out.
struct Transaction {
    handle: *mut PamHandle,
    status: c_int,
    // Dropped after the handle has ended.
    _talk: Box<Box<dyn Talk>>,
}

fn c_string(text: &str) -> Result<CString, PamFailure> {
    CString::new(text).map_err(|_| PamFailure::No("a NUL in a text".to_owned()))
}

impl Library for Libpam {
    fn start(&self, start: Start<'_>, talk: Box<dyn Talk>) -> Result<Box<dyn Pam>, PamFailure> {
        let (service, user) = (c_string(start.service)?, c_string(start.user)?);
        let folder = start.folder.map(|folder| folder.as_os_str().as_bytes());
        let folder = folder.map(CString::new).transpose();
        let folder = folder.map_err(|_| PamFailure::No("a NUL in a path".to_owned()))?;
        let mut talk = Box::new(talk);
        let conversation = PamConv {
            converse,
            data: (&raw mut *talk).cast(),
        };
        let mut handle = ptr::null_mut();
        // SAFETY: all strings end with NUL and are copied, as is the conversation; its data stays
        // where it is until the transaction has ended.
        let status = unsafe {
            match &folder {
                None => pam_start(
                    service.as_ptr(),
                    user.as_ptr(),
                    &raw const conversation,
                    &raw mut handle,
                ),
                Some(folder) => pam_start_confdir(
                    service.as_ptr(),
                    user.as_ptr(),
                    &raw const conversation,
                    folder.as_ptr(),
                    &raw mut handle,
                ),
            }
        };
        if status != number::SUCCESS || handle.is_null() {
            return Err(PamFailure::No(format!("PAM did not start ({status})")));
        }
        Ok(Box::new(Transaction {
            handle,
            status,
            _talk: talk,
        }))
    }
}

impl Transaction {
    fn check(&mut self, status: c_int) -> Result<(), PamFailure> {
        self.status = status;
        match status {
            number::SUCCESS => Ok(()),
            number::NEW_AUTHTOK_REQD => Err(PamFailure::NewPasswordWanted),
            _ => {
                // SAFETY: the handle is valid; the text is static.
                let text = unsafe { pam_strerror(self.handle, status) };
                if text.is_null() {
                    return Err(PamFailure::No(format!("PAM error {status}")));
                }
                // SAFETY: not null, and NUL-terminated.
                let text = unsafe { CStr::from_ptr(text) };
                Err(PamFailure::No(text.to_string_lossy().into_owned()))
            }
        }
    }
}

impl Pam for Transaction {
    fn set(&mut self, item: Item, value: &str) -> Result<(), PamFailure> {
        let value = c_string(value)?;
        let item = match item {
            Item::Tty => number::TTY,
            Item::RemoteHost => number::RHOST,
        };
        // SAFETY: the handle is valid, and these items are strings, which are copied.
        let status = unsafe { pam_set_item(self.handle, item, value.as_ptr().cast()) };
        self.check(status)
    }

    fn user(&mut self) -> Result<String, PamFailure> {
        let mut value = ptr::null();
        // SAFETY: the handle is valid; the pointer written stays libpam's.
        let status = unsafe { pam_get_item(self.handle, number::USER, &raw mut value) };
        self.check(status)?;
        if value.is_null() {
            return Err(PamFailure::No("no user".to_owned()));
        }
        // SAFETY: PAM_USER is a NUL-terminated string; it is copied.
        let name = unsafe { CStr::from_ptr(value.cast()) }.to_str();
        let name = name.map_err(|_| PamFailure::No("a user name not in UTF-8".to_owned()))?;
        Ok(name.to_owned())
    }

    fn call(&mut self, call: Call) -> Result<(), PamFailure> {
        // SAFETY: the handle is valid, and the conversation's data alive.
        let status = unsafe {
            match call {
                Call::Authenticate => pam_authenticate(self.handle, 0),
                Call::Account => pam_acct_mgmt(self.handle, 0),
                Call::ChangePassword => pam_chauthtok(self.handle, number::CHANGE_EXPIRED_AUTHTOK),
                Call::Establish => pam_setcred(self.handle, number::ESTABLISH_CRED),
                Call::Reinitialize => pam_setcred(self.handle, number::REINITIALIZE_CRED),
                Call::OpenSession => pam_open_session(self.handle, 0),
                Call::CloseSession => pam_close_session(self.handle, 0),
                Call::Delete => pam_setcred(self.handle, number::DELETE_CRED),
            }
        };
        self.check(status)
    }

    fn environment(&mut self) -> Vec<(OsString, OsString)> {
        let mut found = Vec::new();
        // SAFETY: the handle is valid. The list ends with a null pointer; list and strings are ours
        // to free.
        unsafe {
            let list = pam_getenvlist(self.handle);
            let mut next = list;
            while !next.is_null() && !(*next).is_null() {
                let line = CStr::from_ptr(*next).to_bytes();
                if let Some(at) = line.iter().position(|byte| *byte == b'=') {
                    let (name, value) = line.split_at(at);
                    let value = value.get(1..).unwrap_or_default();
                    let own = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
                    found.push((own(name), own(value)));
                }
                libc::free((*next).cast());
                next = next.add(1);
            }
            libc::free(list.cast());
        }
        found
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        // SAFETY: the handle is valid and not used again.
        unsafe { pam_end(self.handle, self.status) };
    }
}

/// Called by modules. A panic would end the process here, which is as it should be.
extern "C" fn converse(
    count: c_int,
    messages: *mut *const PamMessage,
    responses: *mut *mut PamResponse,
    data: *mut c_void,
) -> c_int {
    if !(1..=number::MAX_NUM_MSG).contains(&count) || messages.is_null() || responses.is_null() {
        return number::CONV_ERR;
    }
    let length = usize::try_from(count).unwrap_or(0);
    let mut asked = Vec::with_capacity(length);
    for at in 0..length {
        // SAFETY: Linux-PAM passes an array of `count` pointers to messages, each with a
        // NUL-terminated text or none.
        let (style, text) = unsafe {
            let message = &**messages.add(at);
            let text = if message.text.is_null() {
                String::new()
            } else {
                CStr::from_ptr(message.text).to_string_lossy().into_owned()
            };
            (message.style, text)
        };
        let style = match style {
            number::PROMPT_ECHO_OFF => Style::Hidden,
            number::PROMPT_ECHO_ON => Style::Shown,
            number::ERROR_MSG => Style::Error,
            number::TEXT_INFO => Style::Info,
            _ => return number::CONV_ERR,
        };
        let text = cut(&text, MAX_MESSAGE).to_owned();
        asked.push(Message { style, text });
    }
    let questions: Vec<bool> = asked.iter().map(|m| m.style.is_question()).collect();
    // SAFETY: the data is the box of the transaction, which outlives the handle; modules call from
    // within our own calls, on the one thread, so nothing else borrows it.
    let talk = unsafe { &mut *data.cast::<Box<dyn Talk>>() };
    let Some(answers) = talk.ask(asked) else {
        return number::CONV_ERR;
    };
    if answers.len() != questions.iter().filter(|is| **is).count()
        || answers.iter().any(|answer| answer.contains(&0))
    {
        return number::CONV_ERR;
    }
    // SAFETY: PAM frees both the array and the strings, so they are malloc's; calloc leaves null for
    // messages without an answer. Every write stays inside what was allocated.
    unsafe {
        let array: *mut PamResponse = libc::calloc(length, size_of::<PamResponse>()).cast();
        if array.is_null() {
            return number::CONV_ERR;
        }
        let mut answers = answers.iter();
        for (at, is_question) in questions.iter().enumerate() {
            let Some(answer) = is_question.then(|| answers.next()).flatten() else {
                continue;
            };
            // Zeroed, so that it ends with NUL.
            let copy: *mut u8 = libc::calloc(answer.len() + 1, 1).cast();
            if copy.is_null() {
                // Memory is so short that what was copied so far is left to the end of the process.
                return number::CONV_ERR;
            }
            ptr::copy_nonoverlapping(answer.as_ptr(), copy, answer.len());
            (*array.add(at)).text = copy.cast();
        }
        *responses = array;
    }
    number::SUCCESS
}
