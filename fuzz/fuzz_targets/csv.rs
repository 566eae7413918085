//! Any first line as a header, and any further ones as its rows: reading must not panic, and a row is
//! read alike whatever came before it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::dialect::csv::{Columns, Table};

fuzz_target!(|bytes: &[u8]| {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let header = lines.next().unwrap_or_default();
    let table = || Table::of(header, &Columns::default(), None)?.ok();
    let (Some(mut used), Some(_)) = (table(), table()) else { return };
    for line in lines {
        let mut fresh = table().expect("the header was one before");
        assert_eq!(format!("{:?}", used.read(line)), format!("{:?}", fresh.read(line)));
    }
});
