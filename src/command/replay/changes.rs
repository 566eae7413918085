//! Every change of verdict, printed as it is read.

use super::Scope;
use crate::command::input::{Follower, Heard, Input};
use crate::config::question::Span;
use crate::failure::{Failure, Outcome};
use crate::output::console::Console;
use crate::output::number::counted;
use crate::output::object::ChangeObject;
use crate::output::printer::Printer;
use crate::output::style::Style;
use crate::output::verdict;

/// Prints changes. Keeps nothing of them.
#[derive(Debug)]
pub struct Changes {
    scope: Scope,
    span: Span,
    printer: Printer,
    is_json: bool,
    style: Style,
    shown: u64,
    /// The broker that the last line was about.
    named: String,
}

impl Changes {
    pub fn new(scope: Scope, span: Span, console: &Console) -> Self {
        let (is_json, style) = (console.is_json(), console.style());
        Self {
            scope,
            span,
            printer: console.printer(),
            is_json,
            style,
            shown: 0,
            named: String::new(),
        }
    }

    /// Names the broker that the next line is about, where it is another.
    fn name(&mut self, instance: &str) -> Result<(), Failure> {
        if self.named != instance {
            instance.clone_into(&mut self.named);
            self.printer.print_line(verdict::heading(instance, self.style))?;
        }
        Ok(())
    }
}

impl Follower for Changes {
    fn hear(&mut self, heard: &Heard<'_>) -> Result<(), Failure> {
        let Heard { instance, change, .. } = *heard;
        if !(self.span.holds(change.at) && self.scope.include(&change.verdict.client)) {
            return Ok(());
        }
        self.shown += 1;
        if self.is_json {
            self.printer.json_line(&ChangeObject::new(instance, change))?;
        } else {
            let line = verdict::change(change, self.style);
            self.name(instance)?;
            self.printer.print_line(line)?;
        }
        Ok(())
    }

    fn conclude(&mut self, input: &Input, console: &mut Console) -> Result<Outcome, Failure> {
        if !self.is_json {
            let blank = if self.shown > 0 { "\n" } else { "" };
            console.print_line(format_args!("{blank}{}", counted(self.shown, "change")))?;
        }
        super::print_summary(input, console)?;
        Ok(Outcome::Yes)
    }
}
