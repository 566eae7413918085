//! What a refusal means, and what to do about it. Its code tells; the status says little.

use crate::query::api::value::text;
use crate::query::exchange::{Reply, Trouble};
use serde_json::Value;

/// Returns the body of a success.
///
/// Errors: any other answer, with what to do about it.
pub fn checked(reply: &Reply, action: &str) -> Result<Value, Trouble> {
    if reply.status == 200 { reply.json() } else { Err(refused(reply, action)) }
}

/// Tells whether the service throttles: a little later it may answer.
pub fn is_busy(reply: &Reply) -> bool {
    reply.status != 200 && is_throttled(&code(reply))
}

fn code(reply: &Reply) -> String {
    reply.any_json().as_ref().and_then(|body| text(body, "Code")).unwrap_or_default()
}

fn is_throttled(code: &str) -> bool {
    code == "SystemOverFlow" || code.starts_with("Throttling")
}

/// Says what a refusal means.
pub fn refused(reply: &Reply, action: &str) -> Trouble {
    let trouble = reply.refusal();
    let code = code(reply);
    let next = match &*code {
        code if is_throttled(code) => {
            "ask about fewer clients, or later: an account may ask 500 times a second, 100 with \
             `via=batch`, and its programs ask, too"
                .to_owned()
        }
        "PermissionCheckFailed" | "NoPermission" | "Forbidden" | "Forbidden.RAM" => format!(
            "let RAM allow `mq:MqttInstanceAccess` and `mq:{action}` on the instance to whose key this is"
        ),
        "InstancePermissionCheckFailed" => format!(
            "check `instance` and the region in the URL, and that the account of the key owns the \
             instance or was let in: `mq:MqttInstanceAccess` and `mq:{action}`"
        ),
        // It may be the id alone, and others may be asked about.
        "ParameterCheckFailed" => {
            return trouble.next(
                "check that the client id is `GROUP@@@DEVICE`, and `instance` and the region in the URL",
            );
        }
        "ApiNotSupport" | "InvalidAction.NotFound" | "InvalidApi.NotFound" => format!(
            "check the region in the URL: the service does not know `{action}` there{}",
            if action == super::BATCH_ACTION { ", so leave `via=batch` out" } else { "" }
        ),
        "CheckAccountInfoFailed" | "InvalidSecurityToken.Expired"
        | "InvalidSecurityToken.Malformed" | "InvalidSecurityToken.MismatchWithAccessKey" => {
            "get a new temporary key, and pass its three parts together: `--access-key-id`, \
             `--access-key-secret-file` and `--access-key-token-file`"
                .to_owned()
        }
        "SignatureDoesNotMatch" | "IncompleteSignature" => {
            "check that the secret is that of this access key, and that nothing on the way changes the \
             request"
                .to_owned()
        }
        code if code.starts_with("InvalidAccessKeyId") => {
            "check `--access-key-id`: no such key is there, or it was turned off".to_owned()
        }
        code if code.starts_with("InvalidTimeStamp") => {
            "set the clock of this machine, which may be wrong by no more than 15 minutes".to_owned()
        }
        "SignatureNonceUsed" => "ask again".to_owned(),
        _ => return trouble,
    };
    trouble.next(next).everywhere()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, code: &str) -> Reply {
        let body = format!(r#"{{"RequestId":"1","HostId":"h","Code":"{code}","Message":"no"}}"#);
        Reply { status, body: body.into_bytes(), ..Reply::default() }
    }

    #[test]
    fn every_refusal_says_what_to_do() {
        for (status, code, next, everywhere) in [
            (400, "PermissionCheckFailed", "`mq:MqttInstanceAccess` and `mq:QueryX`", true),
            (403, "NoPermission", "`mq:QueryX`", true),
            (400, "InstancePermissionCheckFailed", "`instance` and the region", true),
            (400, "ParameterCheckFailed", "`GROUP@@@DEVICE`", false),
            (400, "CheckAccountInfoFailed", "`--access-key-token-file`", true),
            (404, "ApiNotSupport", "does not know `QueryX`", true),
            (500, "SystemOverFlow", "500 times a second", true),
            (400, "Throttling.User", "fewer clients", true),
            (400, "SignatureDoesNotMatch", "the secret is that of", true),
            (404, "InvalidAccessKeyId.NotFound", "`--access-key-id`", true),
            (400, "InvalidTimeStamp.Expired", "set the clock", true),
            (500, "InternalError", "later", false),
        ] {
            let trouble = refused(&reply(status, code), "QueryX");
            let cause = format!("status {status}: {code}, no");
            assert_eq!((&trouble.cause, trouble.everywhere), (&cause, everywhere));
            assert!(trouble.next.as_ref().is_some_and(|said| said.contains(next)), "{trouble:?}");
        }
        assert!(is_busy(&reply(500, "SystemOverFlow")) && !is_busy(&reply(500, "InternalError")));
        assert!(!is_busy(&reply(200, "SystemOverFlow")));
    }
}
