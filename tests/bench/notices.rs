//! Notices of a large fleet whose devices come and go, as LMQ tells them.

use presence::clock;

/// Where they are published.
pub const TOPIC: &str = "$presence/notices";
/// Neighbours in time are no neighbours in the store.
const STRIDE: usize = 7_919;
/// How much later the next one is stamped than the one before.
const PER_MS: usize = 50;

/// Returns so many notices of so many devices. Each device is told of once before one is told of again,
/// and comes and goes in turn, every time on a new channel.
pub fn of_fleet(count: usize, devices: usize) -> Vec<String> {
    let begun = clock::now().0;
    let notice = |number: usize| {
        let (round, device) = (number / devices, number * STRIDE % devices);
        let event = if round.is_multiple_of(2) { "connect" } else { "tcpclean" };
        let life = round / 2;
        let time = begun + i64::try_from(number / PER_MS).expect("a benchmark is short");
        of(&format!("device-{device:06}"), event, &format!("{device:012x}{life:04x}"), time)
    };
    (0..count).map(notice).collect()
}

/// Returns what is told about one device.
pub fn of(client: &str, event: &str, channel: &str, time: i64) -> String {
    format!(
        r#"{{"clientId":"{client}","time":{time},"eventType":"{event}","channelId":"{channel}","clientIp":"203.0.113.7:50001"}}"#
    )
}
