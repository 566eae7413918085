//! Any bytes as what servers of RocketMQ send: reading must not panic, and takes a whole frame or nothing.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use presence::source::rocketmq::frame;
use presence::source::rocketmq::message::Messages;
use presence::source::rocketmq::route::Route;

fuzz_target!(|bytes: &[u8]| {
    let mut buffer = BytesMut::from(bytes);
    let mut left = buffer.len();
    while let Ok(Some(frame)) = frame::read(&mut buffer) {
        assert!(buffer.len() < left);
        left = buffer.len();
        look(&frame.body);
    }
    look(bytes);
});

fn look(body: &[u8]) {
    let _ = Route::read(body);
    for stored in Messages::of(body).flatten() {
        let _ = (stored.tag(), stored.keys(), stored.id(), stored.body());
    }
}
