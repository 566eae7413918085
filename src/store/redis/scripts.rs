//! What a server does in one step. A script changes nothing unless what is there is still what the
//! caller knew; else it returns what is there, and the caller joins and tries again.

use redis::{Cmd, Script, cmd};
use std::sync::LazyLock;

/// Stores clients of one shard.
///
/// Keys: the feed, then the clients. Arguments: for each client its id, the version expected (empty: it
/// is not there), and its bytes. Returns the version of those that were written, and for each that is
/// not as expected its place, counted from 0, and its value.
pub static MERGE: LazyLock<Script> = LazyLock::new(|| Script::new(MERGE_TEXT));

/// Forgets a client.
///
/// Keys: the feed, the client. Arguments: its id, the version expected. Returns 1 if it was as expected.
pub static FORGET: LazyLock<Script> = LazyLock::new(|| Script::new(FORGET_TEXT));

/// Sets fields of a hash, if all of them are as expected (empty: not there).
///
/// Arguments: for each field its name, the value expected, the new value (empty: none). Returns whether it did.
pub static SET_FIELDS: LazyLock<Script> = LazyLock::new(|| Script::new(SET_FIELDS_TEXT));

// The clock of a server may step back, its versions may not.
const MERGE_TEXT: &str = "
local feed, time = KEYS[1], redis.call('TIME')
local version = time[1] * 1000000 + time[2]
local latest = redis.call('ZREVRANGE', feed, 0, 0, 'WITHSCORES')[2]
if latest and tonumber(latest) >= version then version = tonumber(latest) + 1 end
local text, news, unexpected = string.format('%016.0f', version), {}, {}
for at = 2, #KEYS do
  local id, expected, body = ARGV[3 * at - 5], ARGV[3 * at - 4], ARGV[3 * at - 3]
  if redis.call('GETRANGE', KEYS[at], 0, 15) == expected then
    redis.call('SET', KEYS[at], text .. body)
    news[#news + 1] = text
    news[#news + 1] = id
  else
    unexpected[#unexpected + 1] = at - 2
    unexpected[#unexpected + 1] = redis.call('GET', KEYS[at]) or ''
  end
end
if #news > 0 then redis.call('ZADD', feed, unpack(news)) end
return {text, unexpected}
";

const FORGET_TEXT: &str = "
if redis.call('GETRANGE', KEYS[2], 0, 15) ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('ZREM', KEYS[1], ARGV[1])
return 1
";

const SET_FIELDS_TEXT: &str = "
for at = 1, #ARGV, 3 do
  if (redis.call('HGET', KEYS[1], ARGV[at]) or '') ~= ARGV[at + 1] then return 0 end
end
for at = 1, #ARGV, 3 do
  if ARGV[at + 2] == '' then
    redis.call('HDEL', KEYS[1], ARGV[at])
  else
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 2])
  end
end
return 1
";

/// Returns what makes a server know all of them.
pub fn loading() -> [Cmd; 3] {
    [MERGE_TEXT, FORGET_TEXT, SET_FIELDS_TEXT].map(|text| {
        let mut load = cmd("SCRIPT");
        load.arg("LOAD").arg(text);
        load
    })
}

/// Begins the call of a script with so many keys; they and the arguments follow.
pub fn call(script: &Script, keys: usize) -> Cmd {
    let mut call = cmd("EVALSHA");
    call.arg(script.get_hash()).arg(keys);
    call
}
