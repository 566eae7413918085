//! How the broker lies about its clients, for those who test whether they would notice.

/// What is wrong with the notices. Nothing else ever is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// The share of notices that are lost, 0 to 1.
    pub dropped: f64,
    /// How often each notice comes again.
    pub repeats: u32,
    /// How much later each notice comes, ms.
    pub delay_ms: u64,
    /// The end of a connection is told right behind its beginning, and not when it comes.
    pub early: bool,
    /// How much later the end of a connection that was taken over comes, ms; after the beginning of
    /// the next one.
    pub held_ms: Option<u64>,
    /// The end of every connection is told so much later.
    pub late_ms: u64,
    /// What chance is made from.
    pub seed: u64,
}

impl Faults {
    /// Takes one fault in, as it is typed: `drop-notice=10%`, `repeat=2`, `delay=1s`, `early`,
    /// `hold-tcpclean=1s`, `late-tcpclean=1m`.
    ///
    /// Errors: a clause that says what is wrong, to be put behind the fault.
    pub fn add(&mut self, typed: &str) -> Result<(), String> {
        let (name, value) = match typed.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (typed, None),
        };
        match (name, value) {
            ("drop-notice", Some(value)) => self.dropped = share(value)?,
            ("drop-notice", None) => return Err("it wants a share, as in `drop-notice=10%`".into()),
            ("repeat", None) => self.repeats = 1,
            ("repeat", Some(value)) => match value.parse() {
                Ok(times @ 1..=REPEATS_MAX) => self.repeats = times,
                _ => return Err(format!("it wants a number from 1 to {REPEATS_MAX}")),
            },
            ("delay", Some(value)) => self.delay_ms = duration_ms(value)?,
            ("delay", None) => return Err("it wants a duration, as in `delay=1s`".into()),
            ("early", None) => self.early = true,
            ("early", Some(_)) => return Err("it takes no value".into()),
            ("hold-tcpclean", value) => {
                self.held_ms = Some(value.map_or(Ok(HELD_MS), duration_ms)?);
            }
            ("late-tcpclean", Some(value)) => self.late_ms = duration_ms(value)?,
            ("late-tcpclean", None) => {
                return Err("it wants a duration, as in `late-tcpclean=1m`".into());
            }
            _ => {
                return Err(
                    "there are `drop-notice=P%`, `repeat[=N]`, `delay=DURATION`, `early`, \
                            `hold-tcpclean[=DURATION]` and `late-tcpclean=DURATION`"
                        .into(),
                );
            }
        }
        Ok(())
    }

    /// Returns what each fault does, in words.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if self.dropped > 0.0 {
            words.push(format!("{} % of its notices are lost", self.dropped * 100.0));
        }
        if self.repeats > 0 {
            words.push(format!("each notice comes {} times", self.repeats + 1));
        }
        if self.delay_ms > 0 {
            words.push(format!("each notice comes {} ms late", self.delay_ms));
        }
        if self.early {
            words.push("each `tcpclean` comes right behind its `connect`".into());
        }
        if let Some(ms) = self.held_ms {
            words.push(format!("the `tcpclean` of what was taken over comes {ms} ms late"));
        }
        if self.late_ms > 0 {
            words.push(format!("each `tcpclean` comes {} ms late", self.late_ms));
        }
        words
    }
}

fn share(value: &str) -> Result<f64, String> {
    let number = value.strip_suffix('%').unwrap_or(value).trim();
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("it wants a share from 0% to 100%".into()),
    }
}

fn duration_ms(value: &str) -> Result<u64, String> {
    let duration = humantime::parse_duration(value).map_err(|error| error.to_string())?;
    match u64::try_from(duration.as_millis()) {
        Ok(ms) if ms <= DELAY_MAX_MS => Ok(ms),
        _ => Err("it is longer than a day".into()),
    }
}

const REPEATS_MAX: u32 = 100;
const HELD_MS: u64 = 1_000;
const DELAY_MAX_MS: u64 = 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(typed: &[&str]) -> Result<Faults, String> {
        let mut faults = Faults::default();
        typed.iter().try_for_each(|typed| faults.add(typed))?;
        Ok(faults)
    }

    #[test]
    fn every_fault_can_be_typed() {
        let all = read(&[
            "drop-notice=12.5%",
            "repeat",
            "delay=1s 500ms",
            "early",
            "hold-tcpclean",
            "late-tcpclean=1m",
        ]);
        let expected = Faults {
            dropped: 0.125,
            repeats: 1,
            delay_ms: 1_500,
            early: true,
            held_ms: Some(1_000),
            late_ms: 60_000,
            seed: 0,
        };
        assert_eq!(all, Ok(expected));
        assert_eq!(expected.words().len(), 6);
        assert_eq!(read(&["repeat=3"]).map(|faults| faults.repeats), Ok(3));
        assert_eq!(read(&["hold-tcpclean=0s"]).map(|faults| faults.held_ms), Ok(Some(0)));
        assert!(Faults::default().words().is_empty());
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for typed in [
            "",
            "drop",
            "drop-notice",
            "drop-notice=101%",
            "drop-notice=NaN",
            "drop-notice=-1",
            "repeat=0",
            "repeat=x",
            "delay",
            "delay=5",
            "delay=2days",
            "early=1",
            "hold-tcpclean=x",
            "late-tcpclean",
        ] {
            assert!(read(&[typed]).is_err(), "{typed}");
        }
    }
}
