//! The least that taking messages in can cost: a blocking socket that is read again after a millisecond,
//! so that a read brings many messages, and whose acknowledgements are written together.
//!
//! It lives in a process of its own, so that its cost can be told from that of others: a benchmark
//! starts itself again with [`FLAG`].

use super::floor::{itself, packed, plain_connect};
use super::notices::TOPIC;
use super::subscription;
use presence::wire::Packet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::Duration;

const FLAG: &str = "--taker";
const REST: Duration = Duration::from_millis(1);

/// Returns a command that takes so many messages and ends.
pub fn command(address: SocketAddr, count: usize) -> Command {
    let mut command = itself(FLAG);
    command.args([address.to_string(), count.to_string()]);
    command
}

/// Takes messages, if this process was started for that.
pub fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip_while(|argument| argument != FLAG).skip(1);
    let address: SocketAddr = arguments.next()?.parse().expect("an address follows the flag");
    let count = arguments.next()?.parse().expect("a count follows the address");
    let mut socket = TcpStream::connect(address).expect("the broker listens");
    socket.set_nodelay(true).expect("a TCP socket can do that");
    say_hello(&mut socket);
    take(&mut socket, count);
    Some(ExitCode::SUCCESS)
}

fn say_hello(socket: &mut TcpStream) {
    let connect = Packet::Connect(Box::new(plain_connect("bench-taker".to_owned())));
    socket.write_all(&packed(&connect)).expect("the broker reads");
    socket.read_exact(&mut [0; 4]).expect("a CONNACK has four bytes");
    socket.write_all(&packed(&subscription::to(TOPIC))).expect("the broker reads");
    socket.read_exact(&mut [0; 5]).expect("a SUBACK for one filter has five bytes");
}

fn take(socket: &mut TcpStream, count: usize) {
    let (mut taken, mut filled) = (0, 0);
    let mut piece = vec![0; 1 << 20];
    let mut acks = Vec::new();
    while taken < count {
        sleep(REST);
        filled += socket.read(&mut piece[filled..]).expect("the broker sends");
        let mut rest = &piece[..filled];
        while let Some((id, after)) = next(rest) {
            acks.extend_from_slice(&[0x40, 2, id[0], id[1]]);
            rest = after;
            taken += 1;
        }
        let left = rest.len();
        piece.copy_within(filled - left..filled, 0);
        filled = left;
        socket.write_all(&acks).expect("the broker reads");
        acks.clear();
    }
}

/// Returns the packet id of a PUBLISH at QoS 1 and what follows it, if it is there as a whole. It is longer
/// than 127 and shorter than 16,384 bytes, as all notices are.
fn next(bytes: &[u8]) -> Option<([u8; 2], &[u8])> {
    let [_, low, high, topic_high, topic_low, ..] = *bytes else { return None };
    let len = usize::from(low & 0x7f) + usize::from(high) * 128;
    let topic_len = usize::from(u16::from_be_bytes([topic_high, topic_low]));
    let after = bytes.get(3 + len..)?;
    let id = *bytes.get(5 + topic_len..)?.first_chunk()?;
    Some((id, after))
}
