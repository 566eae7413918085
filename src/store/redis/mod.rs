//! The store of many machines: a Redis, or a Redis Cluster.
//!
//! A client is one key. It is joined here, by the code that joins in memory, and written by a script
//! that first compares versions: whoever was not the last to write reads, joins and tries again. So any
//! number of watchers write at once, and none of them waits for another.

mod address;
mod clients;
mod failing;
mod instance;
mod layout;
mod link;
mod nodes;
mod scripts;

pub use address::Address;

use super::{Access, Batch, InstanceInfo, Size, Store, put};
use crate::event::Timestamp;
use crate::failure::Failure;
use crate::state::fleet::Fleet;
use crate::state::packed::{self, Client};
use crate::state::policy::Policy;
use clients::Seen;
use failing::Trouble;
use instance::Fields;
use link::{Call, Link};
use nodes::text;
use redis::{Value, cmd};
use std::collections::BTreeMap;

/// A store in a Redis.
#[derive(Debug)]
pub struct Redis {
    link: Link,
    channels_max: usize,
    /// What was last seen of each instance.
    instances: BTreeMap<String, Known>,
}

/// What was last seen of one instance.
#[derive(Debug, Default)]
struct Known {
    seen: Seen,
    fields: Option<Fields>,
    /// Its name is in the list of instances.
    is_listed: bool,
}

impl Known {
    fn list(&mut self, link: &mut Link, instance: &str) -> Result<(), Trouble> {
        if !self.is_listed {
            let mut command = cmd("SADD");
            command.arg(layout::INSTANCES).arg(instance);
            link.one(Call::new(layout::INSTANCES.as_bytes(), command))?;
            self.is_listed = true;
        }
        Ok(())
    }
}

impl Redis {
    /// Opens a store. To write, it is begun if there is none; to read, nothing is written.
    ///
    /// `policy` says how many channels a joined client keeps; use one policy for all writers.
    pub fn open(address: &Address, access: Access, policy: &Policy) -> Result<Self, Failure> {
        let mut store = Self::connect(address, policy)?;
        if access == Access::Write {
            store.begin().map_err(|trouble| trouble.failure("open", address))?;
        }
        if store.is_ours()? {
            return Ok(store);
        }
        Err(Failure::new(format!("could not open the store {address}"))
            .because("nothing was stored in it yet")
            .next("run `presence watch` with the same `--store` first"))
    }

    /// Opens a store to read, `None` if there is none yet.
    pub fn open_existing(address: &Address, policy: &Policy) -> Result<Option<Self>, Failure> {
        let mut store = Self::connect(address, policy)?;
        Ok(store.is_ours()?.then_some(store))
    }

    fn connect(address: &Address, policy: &Policy) -> Result<Self, Failure> {
        address.check_authorities()?;
        let link = Link::open(address.clone());
        let link = link.map_err(|trouble| trouble.failure("open", address))?;
        Ok(Self { link, channels_max: policy.channels_max, instances: BTreeMap::new() })
    }

    /// Says in which format clients are kept, unless that was said before.
    fn begin(&mut self) -> Result<(), Trouble> {
        let mut command = cmd("SET");
        command.arg(layout::FORMAT).arg(format!("{} {}", layout::LAYOUT, packed::FORMAT)).arg("NX");
        self.link.one(Call::new(layout::FORMAT.as_bytes(), command)).map(|_| ())
    }

    /// Tells whether there is a store; refuses one that this release cannot read.
    fn is_ours(&mut self) -> Result<bool, Failure> {
        let address = self.link.address().clone();
        let mut command = cmd("GET");
        command.arg(layout::FORMAT);
        let kept = self.link.one(Call::new(layout::FORMAT.as_bytes(), command));
        let kept = kept.map_err(|trouble| trouble.failure("open", &address))?;
        let Some(kept) = text(&kept) else { return Ok(false) };
        let known = format!("{} {}", layout::LAYOUT, packed::FORMAT);
        if kept == known {
            return Ok(true);
        }
        let numbers: Option<Vec<u32>> = kept.split(' ').map(|part| part.parse().ok()).collect();
        match numbers.as_deref() {
            Some([_, _]) => Err(Failure::new(format!("could not open the store {address}"))
                .because(format_args!(
                    "another release wrote it (its version is {kept}, this release knows {known})"
                ))
                .next("update presence, or name another database with `--store`")),
            _ => Err(Trouble::Inconsistent("the key `presence:format` holds something else")
                .failure("open", &address)),
        }
    }

    fn does<T>(
        &mut self,
        verb: &str,
        work: impl FnOnce(&mut Self) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        work(self).map_err(|trouble| trouble.failure(verb, self.link.address()))
    }

    /// Does something with what is known of an instance.
    fn with<T>(
        &mut self,
        verb: &str,
        instance: &str,
        work: impl FnOnce(&mut Link, &mut Known) -> Result<T, Trouble>,
    ) -> Result<T, Failure> {
        self.does(verb, |store| {
            if !store.instances.contains_key(instance) {
                store.instances.insert(instance.to_owned(), Known::default());
            }
            let known = store.instances.get_mut(instance).expect("it was just made");
            work(&mut store.link, known)
        })
    }

    fn fields(&mut self, instance: &str) -> Result<Fields, Failure> {
        self.does("read", |store| instance::read(&mut store.link, instance))
    }
}

impl Store for Redis {
    fn place(&self) -> String {
        self.link.address().to_string()
    }

    fn engine(&mut self) -> Result<String, Failure> {
        self.does("read", |store| {
            let facts = store.link.facts()?;
            let nodes = store.link.everywhere(&cmd("DBSIZE"))?;
            let keys = nodes.iter().filter_map(|keys| match keys {
                Value::Int(keys) => u64::try_from(*keys).ok(),
                _ => None,
            });
            let keys = keys.sum::<u64>();
            let count = nodes.len();
            Ok(if facts.is_cluster {
                format!("Redis Cluster {}, {count} nodes with slots, {keys} keys", facts.version)
            } else {
                format!("Redis {}, {keys} keys", facts.version)
            })
        })
    }

    fn commit(&mut self, instance: &str, batch: &Batch<'_>) -> Result<(), Failure> {
        let channels_max = self.channels_max;
        self.with("write to", instance, |link, known| {
            known.list(link, instance)?;
            instance::change(link, instance, &mut known.fields, |fields| {
                instance::tie_change(fields, batch.tie)
            })?;
            clients::merge(link, instance, &mut known.seen, &batch.clients, channels_max)?;
            instance::change(link, instance, &mut known.fields, |fields| {
                instance::batch_changes(fields, batch)
            })?;
            Ok(())
        })
    }

    fn load(&mut self, instance: &str) -> Result<Fleet, Failure> {
        self.instances.remove(instance);
        self.others(instance)
    }

    fn others(&mut self, instance: &str) -> Result<Fleet, Failure> {
        let channels_max = self.channels_max;
        self.with("read", instance, |link, known| {
            let fields = known.fields.insert(instance::read(link, instance)?);
            let mut fleet = without_clients(fields)?;
            clients::changed(link, instance, &mut known.seen, |client| {
                put(&mut fleet, client, channels_max);
            })?;
            Ok(fleet)
        })
    }

    fn fleet_of(&mut self, instance: &str, ids: &[&str]) -> Result<Fleet, Failure> {
        let channels_max = self.channels_max;
        self.does("read", |store| {
            // Clients first: whoever listened until then may have heard more since, but not less.
            let found = clients::find(&mut store.link, instance, ids)?;
            let mut fleet = without_clients(&instance::read(&mut store.link, instance)?)?;
            for client in found {
                put(&mut fleet, client, channels_max);
            }
            Ok(fleet)
        })
    }

    fn each_client(
        &mut self,
        instance: &str,
        each: &mut dyn FnMut(Client) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.does("read", |store| {
            clients::each_sorted(&mut store.link, instance, &mut |client| {
                each(client).map_err(Trouble::Caller)
            })
        })
    }

    fn instances(&mut self) -> Result<Vec<InstanceInfo>, Failure> {
        self.does("read", |store| {
            let mut all = Vec::new();
            for name in store.names()? {
                let fields = instance::read(&mut store.link, &name)?;
                let coverage = instance::coverage(&fields)?;
                let members = coverage.sources().flat_map(|(_, source)| source.members.values());
                let last_heard =
                    members.filter(|member| member.epoch > 0).map(|member| member.heard).max();
                let clients = clients::count(&mut store.link, &name)?;
                let restart = instance::restart(&fields)?;
                all.push(InstanceInfo { name, clients, last_heard, restart });
            }
            Ok(all)
        })
    }

    fn names(&mut self) -> Result<Vec<String>, Failure> {
        self.does("read", Self::names)
    }

    fn tie(&mut self, instance: &str) -> Result<u64, Failure> {
        let fields = self.fields(instance)?;
        self.does("read", |_| instance::tie(&fields))
    }

    fn dropped(&mut self, instance: &str) -> Result<Option<u64>, Failure> {
        let fields = self.fields(instance)?;
        self.does("read", |_| instance::dropped(&fields))
    }

    fn positions(&mut self, instance: &str) -> Result<BTreeMap<String, i64>, Failure> {
        let fields = self.fields(instance)?;
        self.does("read", |_| instance::positions(&fields))
    }

    fn forget_positions(&mut self, instance: &str) -> Result<usize, Failure> {
        self.with("write to", instance, |link, known| {
            known.fields = None;
            instance::change(link, instance, &mut known.fields, |fields| {
                Ok(instance::without_positions(fields))
            })
        })
    }

    fn forget_clients(&mut self, instance: &str, clients: &[&Client]) -> Result<usize, Failure> {
        let channels_max = self.channels_max;
        self.with("write to", instance, |link, _| {
            clients::forget(link, instance, clients, channels_max)
        })
    }

    fn forget_member(
        &mut self,
        instance: &str,
        member: &str,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        self.with("write to", instance, |link, known| {
            known.fields = None;
            instance::change(link, instance, &mut known.fields, |fields| {
                instance::leaving(fields, member, now)
            })
        })
    }

    fn compact(&mut self) -> Result<(), Failure> {
        // A Redis gives the memory of what is removed back by itself, and nothing here grows with age.
        Ok(())
    }

    fn size(&mut self) -> Result<Size, Failure> {
        self.does("read", |store| {
            let mut used = 0;
            for info in store.link.everywhere(&cmd("INFO"))? {
                let host = store.link.address().hosts[0].clone();
                used += nodes::Facts::read(&info, &host)?.used_bytes;
            }
            Ok(Size { database_bytes: used, wal_bytes: 0, journal_rows: 0 })
        })
    }

    fn close(self: Box<Self>) -> Result<(), Failure> {
        Ok(())
    }
}

impl Redis {
    /// Returns the names of the instances, sorted.
    fn names(&mut self) -> Result<Vec<String>, Trouble> {
        const UNREADABLE: Trouble = Trouble::Inconsistent("its list of brokers is none");
        let mut command = cmd("SMEMBERS");
        command.arg(layout::INSTANCES);
        let Value::Array(names) =
            self.link.one(Call::new(layout::INSTANCES.as_bytes(), command))?
        else {
            return Err(UNREADABLE);
        };
        let names = names.iter().map(|name| text(name).map(str::to_owned));
        let mut names = names.collect::<Option<Vec<_>>>().ok_or(UNREADABLE)?;
        names.sort_unstable();
        Ok(names)
    }
}

fn without_clients(fields: &Fields) -> Result<Fleet, Trouble> {
    let mut fleet = Fleet::default();
    fleet.coverage = instance::coverage(fields)?;
    if let Some(restart) = instance::restart(fields)? {
        fleet.join_restart(restart);
    }
    Ok(fleet)
}
