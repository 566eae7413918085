//! A broker that lets in, answers, and delivers nothing; and refuses what a test tells it to.

use crate::support::process::DEADLINE;
use bytes::BytesMut;
use presence::wire::{
    self, Ack, ConnAck, Connect, Packet, Publish, Reason, SubAck, Subscribe, Version,
};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

/// What it says to each, in place of yes.
#[derive(Clone, Copy, Default)]
pub struct Manners {
    pub connect: Option<fn(&Connect) -> Reason>,
    /// `None`: it ends the connection.
    pub subscribe: Option<fn(&str) -> Option<Reason>>,
    pub publish: Option<fn(&Publish) -> Option<Reason>>,
    pub is_deaf_to_pings: bool,
    pub is_deaf_to_subscriptions: bool,
}

/// Starts it. It ends with the process of the test.
pub fn start(manners: Manners) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    let address: SocketAddr = listener.local_addr().expect("it is bound");
    let manners = Arc::new(manners);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let manners = Arc::clone(&manners);
            std::thread::spawn(move || serve(stream, &manners));
        }
    });
    format!("mqtt://{address}")
}

/// Speaks with one client, until one of them has had enough.
fn serve(mut stream: TcpStream, manners: &Manners) -> Option<()> {
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    let mut buffer = BytesMut::new();
    let mut version = None;
    loop {
        let packet = match version {
            None => wire::read_connect(&mut buffer, 1 << 16).ok()?.map(|it| {
                version = Some(it.version);
                Packet::Connect(Box::new(it))
            }),
            Some(version) => wire::read(&mut buffer, version, 1 << 16).ok()?,
        };
        let Some(packet) = packet else {
            let mut space = [0; 4096];
            match stream.read(&mut space).ok()? {
                0 => return None,
                count => buffer.extend_from_slice(&space[..count]),
            }
            continue;
        };
        let answer = match answer(packet, manners) {
            Answer::Say(answer) => answer,
            Answer::Nothing => continue,
            Answer::End => return None,
        };
        let mut bytes = BytesMut::new();
        wire::write(&answer, version.unwrap_or(Version::V311), &mut bytes).ok()?;
        stream.write_all(&bytes).ok()?;
    }
}

enum Answer {
    Say(Packet),
    Nothing,
    End,
}

fn answer(packet: Packet, manners: &Manners) -> Answer {
    Answer::Say(match packet {
        Packet::Connect(connect) => {
            let reason = manners.connect.map_or(Reason::SUCCESS, |answer| answer(&connect));
            Packet::ConnAck(ConnAck { reason, ..ConnAck::default() })
        }
        Packet::Subscribe(_) if manners.is_deaf_to_subscriptions => return Answer::Nothing,
        Packet::Subscribe(Subscribe { id, filters, .. }) => {
            let granted = |_: &str| Some(Reason::GRANTED_QOS_1);
            let answer = manners.subscribe.unwrap_or(granted);
            let reasons: Option<Vec<_>> = filters.iter().map(|one| answer(&one.filter)).collect();
            let Some(reasons) = reasons else { return Answer::End };
            Packet::SubAck(SubAck { id, reasons })
        }
        Packet::Publish(publish) => {
            match manners.publish.map_or(Some(Reason::SUCCESS), |answer| answer(&publish)) {
                Some(reason) => Packet::PubAck(Ack { id: publish.id, reason }),
                None => return Answer::End,
            }
        }
        Packet::PingReq if !manners.is_deaf_to_pings => Packet::PingResp,
        Packet::Disconnect(_) => return Answer::End,
        _ => return Answer::Nothing,
    })
}
