//! The end that somebody else asks for: Ctrl-C, or the signal of a service manager.

use crate::failure::Outcome;
use crate::output::status::Status;
use std::sync::mpsc::{Receiver, channel};
use tokio::runtime::Builder;

/// Waits until this process is asked to end.
pub async fn asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    // Where signals cannot be caught the process ends by itself.
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Makes Ctrl-C end this process at once, as interrupted. For commands that have nothing to put in
/// order: what they wrote is whole at any moment.
pub fn ends_at_once(status: Status) {
    std::thread::spawn(move || {
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(asked());
        interrupt(&status);
    });
}

/// Returns where it is told that this process was asked to end. For commands that follow something and
/// have a last word to say; asked again, it ends at once.
pub fn heard(status: Status) -> Receiver<()> {
    let (sender, receiver) = channel();
    let (ready, listening) = channel();
    std::thread::spawn(move || {
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async {
            let mut asked = std::pin::pin!(asked());
            // The first look at it begins to catch signals: from now on none ends the process.
            let is_asked = tokio::select! {
                biased;
                () = &mut asked => true,
                () = std::future::ready(()) => false,
            };
            let _ = ready.send(());
            if !is_asked {
                asked.await;
            }
        });
        let _ = sender.send(());
        runtime.block_on(asked());
        interrupt(&status);
    });
    let _ = listening.recv();
    receiver
}

fn interrupt(status: &Status) {
    status.clear();
    #[expect(clippy::exit, reason = "the command is busy on another thread")]
    std::process::exit(Outcome::Interrupted.code().into());
}
