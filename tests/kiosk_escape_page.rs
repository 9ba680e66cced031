//! A page that wants out of the kiosk's window: whatever it tries, it stays where it is, and nothing opens.
//! Gatepost's own page tries none of this; a fault in it must not be a way out either.
#![cfg(feature = "kiosk")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

#[path = "kiosk_window/mod.rs"]
mod support;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Instant;

use support::hostile::Hostile;
use support::screen::{BLACK, Screen, count};
use support::*;

/// Lets a page try this, and expects the same page in the same window afterwards. What it said.
fn tries(script: &str) -> (Vec<String>, Vec<String>) {
    let screen = Screen::start(800, 480);
    let hostile = Hostile::start(script);
    let mut window = hostile.window(&screen);
    until("the page", || screen.count(PROMPT) == 800 * 480);
    assert_eq!(screen.more_windows(), 0);
    let said = hostile.until_end(&screen);
    assert!(window.0.try_wait().unwrap().is_none(), "it is still there");
    assert_eq!(screen.size_of_window("Gatepost"), screen.size);
    assert_eq!(screen.more_windows(), 0, "no other window");
    until("all of the page", || screen.count(PROMPT) == 800 * 480);
    let once = hostile
        .asked()
        .iter()
        .filter(|line| *line == "GET /")
        .count();
    assert_eq!(once, 1, "it is the same page, and not another like it");
    drop(window);
    let mut kept = Vec::new();
    files(hostile.home(), &mut kept);
    kept.retain(|path| path.contains("kept"));
    assert_eq!(kept, Vec::<String>::new(), "nothing was saved");
    (said, hostile.asked())
}

#[test]
fn file_url_view_source_chrome_about_data_and_blob_lead_nowhere() {
    let (said, asked) = tries(
        "const blob = URL.createObjectURL(new Blob(['<body bgcolor=white>'], { type: 'text/html' }));
         for (const to of ['file:///etc/passwd', 'view-source:' + location, 'chrome://settings/', 'about:memory',
             'webkit://gpu', 'data:text/html,<body bgcolor=white>', blob,
             '/elsewhere', '/?x', '//localhost:1/', 'ftp://127.0.0.1/', 'mailto:a@b.example', 'tel:1', 'ssh://h/']) {
           try { location.href = to; } catch {}
           await pause(100);
         }
         for (const src of ['file:///etc/passwd', '/elsewhere']) {
           const frame = make('iframe', { src, style: 'position:fixed;inset:0;width:100%;height:100%;border:0' });
           await pause(300);
           await say('frame ' + (frame.contentDocument?.body?.textContent ?? ''));
           frame.remove();
         }
         history.pushState(null, '', '#x'); history.back(); await pause(200);
         await say('at ' + location.pathname);",
    );
    assert!(said.contains(&"at %2F".to_owned()), "{said:?}");
    assert!(!said.iter().any(|word| word.contains("root")), "{said:?}");
    assert!(!asked.iter().any(|line| line.contains("/?x")), "{asked:?}");
}

#[test]
fn window_open_and_target_blank_open_no_window() {
    let (said, _) = tries(
        "await click();
         await say('opened ' + (window.open('/elsewhere') !== null));
         await click();
         await say('opened ' + (window.open('about:blank', '', 'width=300') !== null));
         const link = make('a', { href: '/elsewhere', target: '_blank', rel: 'opener' });
         await click(); link.click();
         const form = make('form', { action: '/elsewhere', target: 'other', method: 'post' });
         await click(); form.submit();
         await pause(500);",
    );
    assert!(!said.contains(&"opened true".to_owned()), "{said:?}");
}

#[test]
fn print_dialog_file_chooser_and_other_dialogs_are_answered_with_no() {
    let (said, _) = tries(
        "await click(); print();
         const file = make('input', { type: 'file' });
         await click(); file.click(); await pause(300);
         await say('files ' + file.files.length);
         const colour = make('input', { type: 'color', value: '#010203' });
         await click(); colour.click(); await pause(300);
         await say('colour ' + colour.value.slice(1));
         file.remove(); colour.remove();
         alert('stay'); await say('confirm ' + confirm('leave?')); await say('prompt ' + prompt('who?', 'x'));
         await click(); await document.documentElement.requestFullscreen?.().catch(() => {});
         await say('notify ' + await (window.Notification?.requestPermission() ?? 'none'));
         await say('place ' + await new Promise((done) =>
           navigator.geolocation ? navigator.geolocation.getCurrentPosition(() => done('told'), () => done('refused')) : done('none')));
         const heard = navigator.mediaDevices?.getUserMedia({ audio: true });
         await say('heard ' + await (heard ?? Promise.reject()).then(() => 'yes', () => 'no'));
         await click(); document.execCommand('paste'); document.designMode = 'on'; await pause(200);
         document.designMode = 'off';",
    );
    for expected in [
        "files 0",
        "colour 010203",
        "confirm false",
        "prompt null",
        "heard no",
    ] {
        assert!(said.contains(&expected.to_owned()), "{expected}: {said:?}");
    }
    assert!(!said.contains(&"place told".to_owned()), "{said:?}");
    assert!(!said.contains(&"notify granted".to_owned()), "{said:?}");
}

#[test]
fn download_open_and_save_as_save_nothing() {
    tries(
        "await click(); location.href = '/download'; await pause(500);
         const named = make('a', { href: '/download', download: 'kept.bin' });
         await click(); named.click(); await pause(500);
         const made = URL.createObjectURL(new Blob(['kept']));
         const inside = make('a', { href: made, download: 'kept.txt' });
         await click(); inside.click(); await pause(500);
         const frame = make('iframe', { src: '/download', hidden: true });
         await pause(500); frame.remove();",
    );
}

#[test]
fn a_question_for_a_password_is_not_asked() {
    let (said, _) = tries(
        "const frame = make('iframe', { src: '/password', hidden: true }); await pause(500); frame.remove();
         await say('status ' + await fetch('/password').then(({ status }) => status, () => 'refused'));",
    );
    // Cancelled, which WebKit calls a failure.
    assert!(said.contains(&"status refused".to_owned()), "{said:?}");
}

/// Never white, and no browser's error: black, or words on black, until the window ends with the code for
/// another one.
fn ends_without_ever_showing_anything(hostile: &Hostile) {
    let screen = Screen::start(640, 400);
    let mut window = hostile.window(&screen);
    let mut code = None;
    screen.never_white_until(|pixels| {
        let black = count(pixels, |pixel| *pixel == BLACK);
        assert!(black * 20 > pixels.len() * 19, "{black} pixels are black");
        code = window.0.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(10));
}

#[test]
fn cert_error_page_links_are_never_seen() {
    let folder = tempfile::tempdir().unwrap();
    let (key, cert) = (folder.path().join("key"), folder.path().join("cert"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
        ])
        .args(["-subj", "/CN=elsewhere.example", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .stderr(Stdio::null())
        .status();
    assert!(
        made.unwrap().success(),
        "openssl; `./dev setup` installs it"
    );
    // A port that was free a moment ago: openssl can't choose one and say which.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let _server = Command::new("openssl")
        .args([
            "s_server",
            "-quiet",
            "-www",
            "-port",
            &port.to_string(),
            "-key",
        ])
        .arg(&key)
        .arg("-cert")
        .arg(&cert)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Running)
        .unwrap();
    let began = Instant::now();
    until("openssl listens", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert!(began.elapsed() < DEADLINE);
    let hostile = Hostile::leading_to(&format!("https://127.0.0.1:{port}/"), port);
    ends_without_ever_showing_anything(&hostile);
}

#[test]
fn a_page_that_is_sent_on_to_another_server_stays_unseen() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let there = elsewhere.local_addr().unwrap();
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = first.local_addr().unwrap().port();
    std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        for mut stream in first.incoming().flatten() {
            let mut request = [0; 4096];
            let _some = stream.read(&mut request);
            let _gone = stream.write_all(
                format!("HTTP/1.1 302 Found\r\nLocation: http://{there}/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes(),
            );
        }
    });
    let hostile = Hostile::leading_to(&format!("http://127.0.0.1:{port}/"), port);
    let screen = Screen::start(640, 400);
    let mut window = hostile.window(&screen);
    screen.never_white_until(|pixels| {
        // A word on black, because no page comes.
        (100..20_000).contains(&count(pixels, |pixel| *pixel != BLACK))
    });
    assert!(
        elsewhere.accept().is_err(),
        "nobody came to the other server"
    );
    assert!(
        window
            .0
            .try_wait()
            .unwrap()
            .is_none_or(|code| code.code() == Some(10))
    );
}
