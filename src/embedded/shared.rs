//! What all connections of one broker share: the core, the clock, and who is to be woken.

use super::core::{Core, LinkKey, Moment};
use crate::clock;
use bytes::Bytes;
use foldhash::{HashMap, HashMapExt as _};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant as Alarm, sleep_until};

pub struct Shared {
    core: RefCell<Core>,
    /// Where copies of notices go.
    copies: Option<Sender<Bytes>>,
    wakers: RefCell<HashMap<LinkKey, Waker>>,
    /// Where connections read to. They need it only for a moment, and never at the same time.
    pub chunk: RefCell<Box<[u8]>>,
    begun: Instant,
    /// When [`keep_time`] wakes next.
    armed: Cell<u64>,
    earlier: Notify,
}

impl Shared {
    /// Makes what is shared around the core that `make` returns for the present moment.
    pub fn new(copies: Option<Sender<Bytes>>, make: impl FnOnce(Moment) -> Core) -> Rc<Self> {
        let begun = clock::monotonic();
        let core = make(Moment { wall: clock::now(), steady_ms: 0 });
        Rc::new(Self {
            core: RefCell::new(core),
            copies,
            wakers: RefCell::new(HashMap::new()),
            chunk: RefCell::new(vec![0; CHUNK].into_boxed_slice()),
            begun,
            armed: Cell::new(u64::MAX),
            earlier: Notify::new(),
        })
    }

    /// Hands the core something, and wakes all that have something to do after it.
    pub fn with<R>(&self, act: impl FnOnce(&mut Core, Moment) -> R) -> R {
        self.act(None, act)
    }

    /// Does the same for a connection that will look after itself.
    pub fn with_own<R>(&self, own: LinkKey, act: impl FnOnce(&mut Core, Moment) -> R) -> R {
        self.act(Some(own), act)
    }

    fn act<R>(&self, own: Option<LinkKey>, act: impl FnOnce(&mut Core, Moment) -> R) -> R {
        let mut core = self.core.borrow_mut();
        let result = act(&mut core, self.now());
        let wakers = self.wakers.borrow();
        while let Some(link) = core.poll_woken() {
            if own != Some(link)
                && let Some(waker) = wakers.get(&link)
            {
                waker.wake_by_ref();
            }
        }
        while let Some(copy) = core.poll_copy() {
            if self.copies.as_ref().is_none_or(|copies| copies.try_send(copy).is_err()) {
                core.could_not_copy();
            }
        }
        if core.poll_timeout().is_some_and(|due| due < self.armed.get()) {
            self.earlier.notify_one();
        }
        result
    }

    /// Looks at the core without changing it.
    pub fn look<R>(&self, look: impl FnOnce(&Core) -> R) -> R {
        look(&self.core.borrow())
    }

    /// Remembers whom to wake for a connection.
    pub fn watch(&self, link: LinkKey, waker: &Waker) {
        let mut wakers = self.wakers.borrow_mut();
        match wakers.get_mut(&link) {
            Some(known) => known.clone_from(waker),
            None => {
                wakers.insert(link, waker.clone());
            }
        }
    }

    /// Forgets a connection.
    pub fn closed(&self, link: LinkKey) {
        self.wakers.borrow_mut().remove(&link);
        self.with(|core, now| core.closed(now, link));
    }

    fn now(&self) -> Moment {
        let steady = clock::monotonic().duration_since(self.begun);
        let steady_ms = u64::try_from(steady.as_millis()).unwrap_or(u64::MAX);
        Moment { wall: clock::now(), steady_ms }
    }
}

/// Tells the core when something is due, for ever.
pub async fn keep_time(shared: Rc<Shared>) {
    loop {
        let due = shared.look(Core::poll_timeout);
        // What is due at nearly the same time is done together.
        let due = due.map(|due| due.next_multiple_of(TICK_MS));
        shared.armed.set(due.unwrap_or(u64::MAX));
        let alarm = async {
            match due {
                Some(due) => {
                    let at = shared.begun + Duration::from_millis(due);
                    sleep_until(Alarm::from_std(at)).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = alarm => shared.with(Core::handle_timeout),
            () = shared.earlier.notified() => {}
        }
    }
}

/// How much is read at once: some hundred messages of a busy client.
const CHUNK: usize = 64 * 1024;
const TICK_MS: u64 = 10;
