//! Notices as a broker may send them: late, twice and out of order.

use crate::scene::notice;
use presence::clock;

/// Returns notices as they may come: of devices that come and go, each twice now and then, each up to a
/// thousand places late.
pub fn disordered(count: usize, devices: usize) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(10);
    let begun = clock::now().0 - 3_600_000;
    let mut lines: Vec<(usize, String)> = Vec::with_capacity(count);
    let mut lives = vec![0_u32; devices];
    let mut place = 0;
    while lines.len() < count {
        let device = rng.usize(..devices);
        let (life, client) = (lives[device], format!("GID_many@@@{device}"));
        let event = ["connect", "disconnect", "tcpclean"][(life % 3) as usize];
        lives[device] += 1;
        let time = begun + i64::try_from(place).expect("few") * 30;
        let mut line = notice(&client, event, &format!("{device}-{}", life / 3), time);
        line.push('\n');
        let again = if rng.u8(..50) == 0 { 2 } else { 1 };
        for _ in 0..again {
            lines.push((place + rng.usize(..1_000), line.clone()));
        }
        place += 1;
    }
    lines.truncate(count);
    lines.sort_by_key(|(place, _)| *place);
    lines.into_iter().map(|(_, line)| line).collect()
}
