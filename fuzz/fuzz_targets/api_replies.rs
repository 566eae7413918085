//! Any reply to any question of any API, for everybody too: reading must not panic, nor find anything about a
//! client that was not asked about. The first bytes choose the API, the status and the page.

#![no_main]

use libfuzzer_sys::fuzz_target;
use presence::config::api::{Address, Endpoint, History, Kind};
use presence::event::Timestamp;
use presence::query::api;
use presence::query::dynsec;
use presence::query::exchange::{Page, Reply};

const STATUSES: [u16; 5] = [200, 404, 400, 500, 204];

fuzz_target!(|data: &[u8]| {
    let [kind, status, page, body @ ..] = data else { return };
    // What is typed is somebody's own text, but it is read all the same.
    if let Ok(typed) = str::from_utf8(body) {
        let _ = Address::read(typed);
    }
    let kind = Kind::ALL[usize::from(*kind) % Kind::ALL.len()];
    let settings = match kind {
        Kind::BifroMq => "?tenant=t&user=u",
        Kind::Aws if page & 8 == 0 => "?region=r",
        Kind::Aws => "?region=r&via=index",
        Kind::TencentTdmq if page & 8 == 0 => "?instance=i&region=r",
        Kind::Aliyun if page & 8 == 0 => "?instance=i&region=r",
        Kind::Aliyun => "?instance=i&region=r&via=batch",
        Kind::Huawei => "?project=p",
        _ => "",
    };
    let (address, user) =
        Address::read(&format!("{kind}+http://user:c2VjcmV0@h{settings}")).expect("it is one");
    let token = (kind == Kind::Huawei).then(|| "t".into());
    let endpoint = Endpoint {
        address,
        user: user.user,
        password: user.password,
        token,
        cafile: None,
        insecure: false,
        history: (page & 16 == 0).then(History::default),
        seed: 0,
    };
    let api = api::of(&endpoint).expect("it has what it needs");
    let clients = ["dev-1".to_owned(), "a/b".to_owned(), "ABCDEFGHIJdev".to_owned()];
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let reply = Reply { status, body: body.to_vec(), ..Reply::default() };
    for question in api.begin(&clients).into_iter().chain(api.list()) {
        let total = (page & 16 > 0).then_some(u64::from(page >> 5));
        let page = Page { number: u32::from(page & 7), total, ..Page::default() };
        let mut question = question.at(page);
        api.complete(&mut question, Timestamp(1_760_000_000_000));
        let _ = api.prove(&question, Timestamp(1_760_000_000_000));
        let Ok(reading) = api.read(&question, &reply) else { continue };
        for found in &reading.found {
            assert!(question.is_about(&found.client), "{found:?}");
        }
        if let Some(next) = reading.next {
            assert!(next.target.starts_with('/'), "{next:?}");
            assert_eq!(next.about, question.about);
        }
    }
    if let Ok(dynsec::Response::Accounts { accounts, .. }) = dynsec::read(body, "q") {
        // A list of connections proves nothing, however long.
        let counts = dynsec::Counts::default();
        let listing = dynsec::Listing::new(&accounts, &counts, None);
        assert_ne!(listing.tell("dev-1").online, Some(true));
    }
});
