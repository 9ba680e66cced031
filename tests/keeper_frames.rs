//! Frames, byte for byte: the golden file that the page's twin is tested against too, round trips, and
//! that nothing a stranger sends can upset the readers.

#[path = "keeper_frames/examples.rs"]
mod examples;

use examples::{from_viewer, hex, shown_from_viewer, shown_to_viewer, to_viewer, unhex};
use gatepost::base::Size;
use gatepost::wire::PROTOCOL;
use gatepost::wire::frame::{
    Deframer, End, FrameError, Framing, FromViewer, MAX_FROM_VIEWER, MAX_INPUT, MAX_TO_VIEWER,
    OUTPUT_HEADER, ToViewer, length, output_head, prefixed, request_id,
};
use gatepost::wire::message::{Attach, Failure, FailureKind, Handover, Meta};
use proptest::prelude::*;
use serde_json::{Value, json};

/// To write the file anew after a deliberate change: `GATEPOST_WRITE_GOLDEN=1 cargo test --test keeper_frames`.
#[test]
fn frames_are_what_the_golden_file_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/frames.json");
    let mut frames = Vec::new();
    for (name, frame) in to_viewer() {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        frames.push(json!({
            "name": name, "from": "keeper", "hex": hex(&bytes), "decoded": shown_to_viewer(&frame)
        }));
    }
    for (name, frame) in from_viewer() {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        frames.push(json!({
            "name": name, "from": "viewer", "hex": hex(&bytes), "decoded": shown_from_viewer(&frame)
        }));
    }
    if std::env::var_os("GATEPOST_WRITE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&frames).unwrap() + "\n";
        std::fs::write(path, text).unwrap();
    }
    let golden: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(golden, frames);
    for entry in golden {
        let bytes = unhex(entry["hex"].as_str().unwrap());
        let decoded = match entry["from"].as_str() {
            Some("keeper") => shown_to_viewer(&ToViewer::decode(&bytes).unwrap()),
            _ => shown_from_viewer(&FromViewer::decode(&bytes).unwrap()),
        };
        assert_eq!(decoded, entry["decoded"], "{}", entry["name"]);
    }
}

#[test]
fn a_newer_keepers_and_a_newer_viewers_unknown_fields_are_ignored() {
    let mut bytes = vec![0x41, PROTOCOL];
    bytes.extend(br#"{"mode":"type","colour":"blue","size":{"cols":90,"rows":30,"pixels":1}}"#);
    let Ok(FromViewer::Attach(attach)) = FromViewer::decode(&bytes) else {
        panic!("refused");
    };
    assert_eq!(attach.size, Some(Size::clamped(90, 30)));
    assert_eq!((attach.history, attach.window), (1000, 65536));

    let mut bytes = vec![0x04];
    bytes.extend(br#"{"bells":2,"weather":"fine","exit":null}"#);
    let expected = Meta {
        bells: Some(2),
        exit: Some(None),
        ..Meta::default()
    };
    assert_eq!(ToViewer::decode(&bytes), Ok(ToViewer::Meta(expected)));
}

#[test]
fn another_version_is_refused_by_its_number() {
    for kind in [0x41, 0x01] {
        let bytes = [kind, PROTOCOL + 1, b'{', b'}'];
        let error = FrameError::Version(PROTOCOL + 1);
        match kind {
            0x41 => assert_eq!(FromViewer::decode(&bytes), Err(error)),
            _ => assert_eq!(ToViewer::decode(&bytes), Err(error)),
        }
    }
}

#[test]
fn input_at_the_limit_is_a_frame_and_one_byte_more_is_not() {
    let mut frame = Vec::new();
    FromViewer::Input(&vec![b'x'; MAX_INPUT]).encode(&mut frame);
    assert!(FromViewer::decode(&frame).is_ok());
    frame.push(b'x');
    assert_eq!(
        FromViewer::decode(&frame),
        Err(FrameError::TooLong {
            length: MAX_INPUT + 1,
            limit: MAX_INPUT
        })
    );
    let long = vec![0x48; MAX_FROM_VIEWER + 1];
    assert!(matches!(
        FromViewer::decode(&long),
        Err(FrameError::TooLong { .. })
    ));
}

#[test]
fn payloads_of_the_wrong_length_are_refused() {
    for bad in [
        "",
        "43",
        "430001",
        "4300500018ff",
        "44",
        "4400",
        "440000000000000000ff",
        "45ff",
        "46ff",
        "47",
        "47000000",
        "48",
        "41",
        "42ff00",
    ] {
        let bytes = unhex(bad);
        // Input may hold anything.
        assert_eq!(
            FromViewer::decode(&bytes).is_err(),
            bytes.first() != Some(&0x42),
            "{bad}"
        );
    }
    for bad in [
        "",
        "02",
        "0200",
        "03",
        "030000000000000000005000",
        "06",
        "07",
        "0700000001",
        "33",
    ] {
        assert!(ToViewer::decode(&unhex(bad)).is_err(), "{bad}");
    }
}

#[test]
fn sizes_in_frames_are_clamped() {
    for (cols, rows, expected) in [
        (0_u16, 0_u16, Size::DEFAULT),
        (65535, 65535, Size::clamped(500, 250)),
        (501, 2, Size::clamped(500, 2)),
    ] {
        let mut bytes = vec![0x43];
        bytes.extend(cols.to_be_bytes());
        bytes.extend(rows.to_be_bytes());
        assert_eq!(FromViewer::decode(&bytes), Ok(FromViewer::Resize(expected)));
    }
}

#[test]
fn a_question_of_a_newer_version_still_has_a_number() {
    let mut bytes = vec![0x47, 0, 0, 1, 2];
    bytes.extend(br#"{"op":"brew-coffee"}"#);
    assert!(matches!(
        FromViewer::decode(&bytes),
        Err(FrameError::Json { .. })
    ));
    assert_eq!(request_id(&bytes), Some(258));
    assert_eq!(request_id(&bytes[..4]), None);
    assert_eq!(request_id(&[0x48, 0, 0, 0, 0]), None);
}

#[test]
fn a_failure_has_the_documented_form() {
    let failure = Failure {
        kind: FailureKind::Busy,
        message: "m".to_owned(),
    };
    assert_eq!(
        serde_json::to_value(failure).unwrap(),
        json!({ "kind": "busy", "message": "m" })
    );
}

#[test]
fn a_frame_longer_than_the_limit_is_refused_before_it_is_held() {
    assert_eq!(length(&[0, 0, 0], 10), Ok(None));
    assert_eq!(length(&[0, 0, 0, 10], 10), Ok(Some(10)));
    assert_eq!(
        length(&[0, 0, 0, 11], 10),
        Err(FrameError::TooLong {
            length: 11,
            limit: 10
        })
    );
    assert_eq!(length(&[0; 4], 10), Err(FrameError::Empty));
    let mut deframer = Deframer::new(10);
    deframer.push(&[0xff, 0xff, 0xff, 0xff]);
    assert!(deframer.next_frame().is_err());
}

#[test]
fn the_head_of_an_output_frame_is_the_one_the_encoder_writes() {
    for bytes in [&b""[..], b"x", &vec![7; 70_000]] {
        let frame = ToViewer::Output {
            seq: 0x1234_5678_9abc,
            bytes,
        };
        for framing in [Framing::Prefixed, Framing::WebSocket] {
            let length = framing.head(OUTPUT_HEADER + bytes.len());
            let head = output_head(0x1234_5678_9abc);
            let written = [length.as_slice(), &head, bytes].concat();
            assert_eq!(framing.framed(&frame), written);
        }
        let mut prefixed_so = Vec::new();
        prefixed(&mut prefixed_so, |out| frame.encode(out));
        assert_eq!(Framing::Prefixed.framed(&frame), prefixed_so);
    }
}

#[test]
fn what_a_server_and_a_keeper_say_about_a_browser_is_read_back_the_same() {
    let whys = [
        End::Over,
        End::Gone,
        End::Protocol,
        End::Kind,
        End::TooLong,
        End::Violation,
        End::TooMany,
    ];
    let mut answers = vec![ToViewer::Taken];
    answers.extend(whys.map(|why| ToViewer::End { why, whole: true }));
    for answer in answers {
        let mut out = Vec::new();
        answer.encode(&mut out);
        assert_eq!(ToViewer::decode(&out), Ok(answer));
        out.push(0);
        assert!(ToViewer::decode(&out).is_err());
    }
    assert!(ToViewer::decode(&[9, 200, 1]).is_err());
    let handover = FromViewer::Handover {
        handover: Handover {
            attach: Attach::manage(),
            ping: 30_000,
            dead: 60_000,
        },
        read: b"\x82\x80 and more",
    };
    let mut out = Vec::new();
    handover.encode(&mut out);
    assert_eq!(FromViewer::decode(&out), Ok(handover));
    // Its JSON may not be longer than the frame.
    out[2..6].fill(0xff);
    assert!(FromViewer::decode(&out).is_err());
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    let encoded = |frame: ToViewer<'_>| {
        let mut out = Vec::new();
        frame.encode(&mut out);
        out
    };
    prop_oneof![
        (any::<u64>(), bytes())
            .prop_map(move |(seq, bytes)| encoded(ToViewer::Output { seq, bytes: &bytes })),
        (any::<u64>(), any::<(u16, u16)>(), any::<bool>(), bytes()).prop_map(
            move |(seq, (cols, rows), keep, bytes)| encoded(ToViewer::Repaint {
                seq,
                size: Size::clamped(cols, rows),
                keep,
                bytes: &bytes
            })
        ),
        any::<u64>().prop_map(move |value| encoded(ToViewer::Pong(value))),
        (any::<u32>(), any::<bool>(), bytes()).prop_map(move |(request, last, body)| encoded(
            ToViewer::Reply {
                request,
                last,
                body: &body
            }
        )),
    ]
}

proptest! {
    #[test]
    fn what_a_keeper_writes_is_read_back_the_same(frame in any_frame()) {
        let decoded = ToViewer::decode(&frame).unwrap();
        let mut again = Vec::new();
        decoded.encode(&mut again);
        prop_assert_eq!(again, frame);
    }

    #[test]
    fn frames_come_out_of_a_stream_however_it_is_cut(
        frames in proptest::collection::vec(any_frame(), 0..8),
        cuts in proptest::collection::vec(1_usize..400, 1..40),
    ) {
        let mut stream = Vec::new();
        for frame in &frames {
            prefixed(&mut stream, |out| out.extend(frame));
        }
        let mut deframer = Deframer::new(MAX_TO_VIEWER);
        let mut found = Vec::new();
        let mut rest = stream.as_slice();
        let mut cuts = cuts.iter().cycle();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(*cuts.next().unwrap()));
            deframer.push(now);
            while let Some(frame) = deframer.next_frame().unwrap() {
                found.push(frame.to_vec());
            }
            rest = later;
        }
        prop_assert_eq!(found, frames);
    }

    #[test]
    fn no_bytes_upset_the_readers(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _checked = (FromViewer::decode(&bytes).is_ok(), ToViewer::decode(&bytes).is_ok());
        let mut deframer = Deframer::new(64);
        deframer.push(&bytes);
        while let Ok(Some(frame)) = deframer.next_frame() {
            prop_assert!(frame.len() <= 64);
        }
    }
}
