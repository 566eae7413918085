//! How clients are called.

use super::{Client, Who};
use compact_str::CompactString;

/// The ids of clients that are numbered from 0 on.
#[derive(Debug, Default)]
pub(super) struct Names(Vec<CompactString>);

/// A client, to be spoken of later.
#[derive(Clone, Debug)]
pub(super) enum Named {
    Id(CompactString),
    Number(u32),
}

impl Named {
    pub(super) fn by(who: &Who<'_>) -> Self {
        match who.client {
            Client::Id(id) => Self::Id(id.into()),
            Client::Number(number) => Self::Number(number),
        }
    }
}

impl Names {
    pub(super) fn learn(&mut self, number: u32, id: &str) {
        let number = number as usize;
        if number >= self.0.len() {
            self.0.resize(number + 1, CompactString::default());
        }
        self.0[number] = id.into();
    }

    pub(super) fn of<'a>(&'a self, named: &'a Named) -> &'a str {
        match named {
            Named::Id(id) => id,
            Named::Number(number) => self.numbered(*number),
        }
    }

    pub(super) fn of_client<'a>(&'a self, client: Client<'a>) -> &'a str {
        match client {
            Client::Id(id) => id,
            Client::Number(number) => self.numbered(number),
        }
    }

    fn numbered(&self, number: u32) -> &str {
        self.0.get(number as usize).map_or("", |id| id)
    }
}
