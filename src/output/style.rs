//! Colours, named by what they mean, and the zone of times. Colours only repeat what the words beside them
//! say.

use super::time::Zone;
use crate::event::Timestamp;
use anstyle::AnsiColor;
use std::fmt;

/// What a piece of text means to its reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    #[default]
    Plain,
    Online,
    Closing,
    Offline,
    Unknown,
    Suspect,
    /// Beside the point.
    Dim,
    /// The point.
    Bold,
    Error,
    Warning,
}

impl Tone {
    /// Returns how a terminal shows it.
    #[must_use]
    pub const fn ansi(self) -> anstyle::Style {
        let style = anstyle::Style::new();
        match self {
            Self::Plain => style,
            Self::Online => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green))),
            Self::Closing => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan))),
            Self::Offline => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))),
            Self::Unknown | Self::Warning => {
                style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)))
            }
            Self::Suspect => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Magenta))),
            Self::Dim => style.dimmed(),
            Self::Bold => style.bold(),
            Self::Error => style.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))).bold(),
        }
    }
}

/// Whether text is coloured, and in which zone its times are. Handed to renderers, so that they need not
/// ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    coloured: bool,
    zone: Zone,
}

impl Style {
    pub const PLAIN: Self = Self { coloured: false, zone: Zone::UTC };
    pub const COLOURED: Self = Self { coloured: true, zone: Zone::UTC };

    /// Returns the same with times in a zone.
    #[must_use]
    pub const fn in_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    #[must_use]
    pub const fn zone(self) -> Zone {
        self.zone
    }

    /// Returns a time as [`Zone::time`] does.
    #[must_use]
    pub fn time(self, time: Timestamp) -> String {
        self.zone.time(time)
    }

    #[must_use]
    pub const fn is_coloured(self) -> bool {
        self.coloured
    }

    /// Returns `text` as it is shown in this tone. Width and alignment of a format reach the text.
    pub const fn paint<T: fmt::Display>(self, tone: Tone, text: T) -> Painted<T> {
        let ansi = if self.coloured { tone.ansi() } else { anstyle::Style::new() };
        Painted { ansi, text }
    }

    pub const fn online<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Tone::Online, text)
    }

    pub const fn closing<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Tone::Closing, text)
    }

    pub const fn offline<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Tone::Offline, text)
    }

    pub const fn unknown<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Tone::Unknown, text)
    }

    pub const fn suspect<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Tone::Suspect, text)
    }

    pub const fn dim<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Tone::Dim, text)
    }

    pub const fn bold<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint(Tone::Bold, text)
    }
}

/// Text between the codes that switch its tone on and off; no codes where there is no colour.
#[derive(Clone, Copy, Debug)]
pub struct Painted<T> {
    ansi: anstyle::Style,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ansi.render())?;
        self.text.fmt(f)?;
        write!(f, "{}", self.ansi.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_only_the_words_are_left() {
        assert_eq!(Style::PLAIN.online("online").to_string(), "online");
        assert_eq!(Style::COLOURED.paint(Tone::Plain, "online").to_string(), "online");
    }

    #[test]
    fn with_colour_the_words_are_the_same() {
        assert_eq!(Style::COLOURED.online("online").to_string(), "\x1b[32monline\x1b[0m");
        assert_eq!(Style::COLOURED.bold(7).to_string(), "\x1b[1m7\x1b[0m");
    }

    #[test]
    fn codes_do_not_count_as_width() {
        assert_eq!(format!("{:<8}|", Style::COLOURED.offline("off")), "\x1b[31moff     \x1b[0m|");
        assert_eq!(format!("{:>4}|", Style::PLAIN.dim(12)), "  12|");
    }
}
