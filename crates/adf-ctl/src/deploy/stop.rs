//! Ctrl-C: the driver stops between two actions, with the record intact.

use tokio::sync::watch;

#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Asked for by Ctrl-C.
    pub fn on_ctrl_c() -> Self {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _ = sender.send(true);
            }
            sender.closed().await;
        });
        Self(receiver)
    }

    /// Asked for by whoever holds the sender.
    pub fn when(receiver: watch::Receiver<bool>) -> Self {
        Self(receiver)
    }

    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when a stop is asked for; never, if nobody can ask any more.
    pub async fn asked(&mut self) {
        if self.0.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
