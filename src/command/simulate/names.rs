//! Who the devices are: client ids, users and passwords.

use super::devices::read;
use crate::cli::simulate::{CLIENT_ID, Simulate};
use crate::config::auth::{Aliyun, Auth, BETWEEN, has_group, no_group};
use crate::config::connection::Connection;
use crate::config::credentials::{self, Row};
use crate::failure::Failure;
use crate::output::sanitize::sanitize;
use crate::simulate::fleet::{Credentials, Login, Names};
use std::path::Path;

/// Returns where client ids and credentials come from.
pub fn of(
    options: &Simulate,
    count: u32,
    connection: &Connection,
    run: &str,
) -> Result<(Names, Credentials), Failure> {
    if let Auth::Aliyun(aliyun) = &connection.auth {
        return at_aliyun(options, count, connection, aliyun, run);
    }
    let Some(path) = &options.devices.credentials else {
        let template = |text: &str| read("--username", text);
        let username = connection.username.as_deref().map(template).transpose()?;
        let password = connection.password.clone();
        let credentials = match (username, password) {
            (None, None) => Credentials::Anonymous,
            (username, password) => Credentials::Template { username, password },
        };
        return Ok((id_template(options, count, connection)?, credentials));
    };
    let rows = credentials::read(path, count)?;
    let names = table_names(options, count, connection, path, &rows)?;
    let login = |row: Row| Login { username: row.username, password: row.password };
    Ok((names, Credentials::Table(rows.into_iter().map(login).collect())))
}

/// Returns the client ids of a table, or of the template where the table has none.
fn table_names(
    options: &Simulate,
    count: u32,
    connection: &Connection,
    path: &Path,
    rows: &[Row],
) -> Result<Names, Failure> {
    let has_ids = rows.first().is_some_and(|row| row.client_id.is_some());
    if !has_ids {
        return id_template(options, count, connection);
    }
    if connection.client_id.is_some() {
        return Err(Failure::misuse("`--client-id` and a table of client ids")
            .because(format!("{} has a column `client_id`", path.display()))
            .next("leave `--client-id` out, or take the column out"));
    }
    if !options.devices.ids_are_mine {
        return Err(not_mine(&format!("client ids from {}", path.display())));
    }
    Ok(Names::Table(rows.iter().filter_map(|row| row.client_id.clone()).collect()))
}

/// The same at Alibaba Cloud's MQTT, where the client id decides the password.
fn at_aliyun(
    options: &Simulate,
    count: u32,
    connection: &Connection,
    aliyun: &Aliyun,
    run: &str,
) -> Result<(Names, Credentials), Failure> {
    let is_of_device = !aliyun.is_shared();
    let (names, credentials) = match &options.devices.credentials {
        Some(_) if !is_of_device => {
            return Err(Failure::misuse(
                "`--credentials` where the access key says who devices are",
            )
            .because("user and password are made of the access key and the client id")
            .next(
                "pass `--auth aliyun-device`, if each device has a key of its own, or leave it out",
            ));
        }
        Some(path) => {
            let rows = credentials::read(path, count)?;
            let names = table_names(options, count, connection, path, &rows)?;
            let mut logins = Vec::with_capacity(rows.len());
            for (number, row) in (0..).zip(rows) {
                let secret = row.password.ok_or_else(|| {
                    Failure::misuse(format!("{}: a device without a secret", path.display()))
                        .because(format!("that of device {number} would sign its client id"))
                        .next("write `client_id,access_key_id,access_key_secret` in each row")
                })?;
                let id = row.client_id.unwrap_or_else(|| names.id(number, run));
                let (username, password) = aliyun.of_device(&row.username, &secret, &id);
                logins.push(Login { username: username.unwrap_or_default(), password });
            }
            (names, Credentials::Table(logins))
        }
        None if is_of_device && count > 1 => {
            return Err(Failure::misuse(format!(
                "`--auth aliyun-device` for {count} devices without keys"
            ))
            .because("each device has a key of its own, which the service gave out for its id")
            .next(
                "pass `--credentials` with a table of `client_id,access_key_id,access_key_secret`, \
                     or `--count 1`",
            ));
        }
        None => {
            aliyun.check_key()?;
            (id_template(options, count, connection)?, Credentials::Derived)
        }
    };
    let other = match &names {
        Names::Template(_) => Some(names.id(0, run)).filter(|id| !has_group(id)),
        Names::Table(ids) => ids.iter().find(|id| !has_group(id)).cloned(),
    };
    match other {
        None => Ok((names, credentials)),
        Some(_) => Err(no_group().next(format!(
            "pass ids of a group that exists, as in `--client-id 'GID_demo{BETWEEN}{CLIENT_ID}'`"
        ))),
    }
}

fn id_template(options: &Simulate, count: u32, connection: &Connection) -> Result<Names, Failure> {
    let text = connection.client_id.as_deref().unwrap_or(CLIENT_ID);
    let template = read("--client-id", text)?;
    let shown = sanitize(text, 80);
    if template.names_client() {
        return Err(Failure::misuse(format!("`--client-id {shown}` names itself"))
            .because("`{client}` stands for the client id")
            .next(format!("pass a template with `{{n}}`, as in `--client-id {CLIENT_ID}`")));
    }
    if count > 1 && !template.tells_devices_apart() {
        return Err(Failure::misuse(format!(
            "`--client-id {shown}` gives all {count} devices one id"
        ))
        .because("a broker throws out whoever is connected with the same id")
        .next(format!("let `{{n}}` stand in it, as in `--client-id {CLIENT_ID}`")));
    }
    if !template.tells_runs_apart() && !options.devices.ids_are_mine {
        return Err(not_mine(&format!("`--client-id {shown}`")));
    }
    Ok(Names::Template(template))
}

fn not_mine(what: &str) -> Failure {
    Failure::misuse(format!("{what} may be those of real devices"))
        .because("the mark of the run, `{run}`, does not stand in them")
        .next(format!(
            "put `{{run}}` into the template, as in `--client-id {CLIENT_ID}`, or say with \
             `--ids-are-mine` that nobody else has them"
        ))
}
