//! Any bytes as frames of AMQP and STOMP, as the body of a webhook and as the head of a request: reading
//! must not panic, must get on with every step, and what a webhook takes apart is no more than it was given.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use presence::serve::Head;
use presence::source::{amqp, stomp, webhook};

const FRAME_MAX: usize = 1 << 16;

fuzz_target!(|bytes: &[u8]| {
    let mut input = BytesMut::from(bytes);
    let mut left = input.len();
    while let Ok(Some(_)) = amqp::frame::read(&mut input, FRAME_MAX) {
        assert!(input.len() < left);
        left = input.len();
    }
    // What is said beside a body, behind a head of its own.
    if let Ok(size) = u32::try_from(bytes.len() + 14) {
        let head = [&[2, 0, 1][..], &size.to_be_bytes(), &[0; 12], &[0x20, 0]].concat();
        let _ = amqp::frame::read(&mut BytesMut::from(&[&head, bytes, &[0xCE]].concat()[..]), FRAME_MAX);
    }
    let mut input = BytesMut::from(bytes);
    let mut left = input.len();
    while let Ok(Some(_)) = stomp::frame::read(&mut input) {
        assert!(input.len() < left);
        left = input.len();
    }
    let _ = Head::read(bytes);
    for hook in [None, std::str::from_utf8(bytes).ok()] {
        let body = webhook::split(bytes.to_vec(), hook).unwrap_or_default();
        let size: usize = body.messages.iter().map(|message| message.len()).sum();
        assert!(hook.is_some() || size <= bytes.len());
    }
});
