//! The end that somebody else asks for: Ctrl-C, or the signal of a service manager.

use crate::failure::Outcome;
use crate::output::status::Status;
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
        status.clear();
        #[expect(clippy::exit, reason = "the command is busy on another thread")]
        std::process::exit(Outcome::Interrupted.code().into());
    });
}
