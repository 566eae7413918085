//! How long a PUBLISH takes to be read and written, beside rumqttc's codec.

use bytes::{Bytes, BytesMut};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use presence::wire::{Packet, Publish, Qos, Version, read, write};
use rumqttc::mqttbytes::v4;

const MESSAGES: usize = 1_000;
const PACKET_MAX: usize = 1 << 20;
/// Notices are of the first length; from the second on a payload is shared and not copied.
const PAYLOAD_LENS: [usize; 3] = [160, 512, 4_096];

fn main() {
    divan::main();
}

fn message(payload_len: usize) -> Packet {
    Packet::Publish(Publish {
        qos: Qos::AtLeastOnce,
        topic: "$presence/GID_demo@@@dev-0000001".to_owned(),
        id: 7,
        payload: Bytes::from(vec![b'x'; payload_len]),
        ..Publish::default()
    })
}

fn messages(payload_len: usize) -> BytesMut {
    let mut bytes = BytesMut::new();
    for _ in 0..MESSAGES {
        write(&message(payload_len), Version::V311, &mut bytes).expect("it can be said");
    }
    bytes
}

#[divan::bench(args = PAYLOAD_LENS)]
fn reading(bencher: Bencher, payload_len: usize) {
    let bytes = messages(payload_len);
    bencher.counter(ItemsCount::new(MESSAGES)).with_inputs(|| bytes.clone()).bench_values(
        |mut bytes| {
            while let Ok(Some(packet)) = read(&mut bytes, Version::V311, PACKET_MAX) {
                black_box(packet);
            }
        },
    );
}

#[divan::bench(args = PAYLOAD_LENS)]
fn reading_by_rumqttc(bencher: Bencher, payload_len: usize) {
    let bytes = messages(payload_len);
    bencher.counter(ItemsCount::new(MESSAGES)).with_inputs(|| bytes.clone()).bench_values(
        |mut bytes| {
            while let Ok(packet) = v4::Packet::read(&mut bytes, PACKET_MAX) {
                black_box(packet);
            }
        },
    );
}

#[divan::bench(args = PAYLOAD_LENS)]
fn writing(bencher: Bencher, payload_len: usize) {
    let message = message(payload_len);
    let mut bytes = BytesMut::new();
    bencher.counter(ItemsCount::new(MESSAGES)).bench_local(|| {
        bytes.clear();
        for _ in 0..MESSAGES {
            let _ = write(black_box(&message), Version::V311, &mut bytes);
        }
        black_box(&bytes);
    });
}

#[divan::bench(args = PAYLOAD_LENS)]
fn writing_by_rumqttc(bencher: Bencher, payload_len: usize) {
    let bytes = messages(payload_len);
    let message = v4::Packet::read(&mut bytes.clone(), PACKET_MAX).expect("it is well-formed");
    let mut bytes = BytesMut::new();
    bencher.counter(ItemsCount::new(MESSAGES)).bench_local(|| {
        bytes.clear();
        for _ in 0..MESSAGES {
            let _ = black_box(&message).write(&mut bytes, PACKET_MAX);
        }
        black_box(&bytes);
    });
}
