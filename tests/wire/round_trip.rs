//! What was written is what is read, in whatever pieces it comes.

use super::{PACKET_MAX, VERSIONS, random, read_one, written};
use ::bytes::BytesMut;
use fastrand::Rng;
use presence::wire::{Packet, read, read_connect, write};

#[test]
fn what_is_written_is_read() {
    for seed in 0..4_000 {
        let mut rng = Rng::with_seed(seed);
        for version in VERSIONS {
            let packet = random::packet(&mut rng, version);
            let bytes = written(&packet, version);
            assert_eq!(read_one(&bytes, version), Ok(Some(packet)), "seed {seed}");
        }
    }
}

#[test]
fn a_packet_that_is_not_there_as_a_whole_is_waited_for() {
    for seed in 0..1_000 {
        let mut rng = Rng::with_seed(seed);
        for version in VERSIONS {
            let packet = random::packet(&mut rng, version);
            let bytes = written(&packet, version);
            let step = (bytes.len() / 200).max(1);
            for cut in (0..bytes.len()).step_by(step) {
                assert_eq!(read_one(&bytes[..cut], version), Ok(None), "seed {seed}, cut at {cut}");
            }
        }
    }
}

#[test]
fn packets_come_out_one_after_the_other_however_they_come_in() {
    for seed in 0..200 {
        let mut rng = Rng::with_seed(seed);
        for version in VERSIONS {
            let count = rng.usize(1..12);
            let packets: Vec<_> = (0..count).map(|_| random::packet(&mut rng, version)).collect();
            let mut bytes = BytesMut::new();
            for packet in &packets {
                write(packet, version, &mut bytes).expect("it can be said");
            }
            let mut buffer = BytesMut::new();
            let mut found = Vec::new();
            while !bytes.is_empty() {
                let piece = rng.usize(1..=bytes.len().min(900));
                buffer.extend_from_slice(&bytes.split_to(piece));
                while let Some(packet) =
                    read(&mut buffer, version, PACKET_MAX).expect("well-formed")
                {
                    found.push(packet);
                }
            }
            assert_eq!(found, packets, "seed {seed}");
        }
    }
}

#[test]
fn connect_is_read_before_the_version_is_known_and_leaves_what_follows() {
    for seed in 0..1_000 {
        let mut rng = Rng::with_seed(seed);
        for version in VERSIONS {
            let connect = random::connect(&mut rng, version);
            let mut buffer = BytesMut::new();
            let packet = Packet::Connect(Box::new(connect.clone()));
            write(&packet, version, &mut buffer).expect("it can be said");
            write(&Packet::PingReq, version, &mut buffer).expect("it can be said");
            assert_eq!(read_connect(&mut buffer, PACKET_MAX), Ok(Some(connect)), "seed {seed}");
            assert_eq!(read(&mut buffer, version, PACKET_MAX), Ok(Some(Packet::PingReq)));
        }
    }
}
