//! What `adf-config list --json` would be with the AWS SDK alone: `cargo xtask bench config` runs one against the other.

mod bare;

use std::collections::BTreeMap;
use std::error::Error;

use aws_config::BehaviorVersion;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let app = std::env::args().nth(1).ok_or("give the app")?;
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let items = bare::read(&aws_sdk_dynamodb::Client::new(&sdk), &app).await?;
    let text = |item: &bare::Item, name: &str| item.get(name).and_then(|it| it.as_s().ok()).cloned();
    let config: BTreeMap<_, _> =
        items.iter().filter_map(|item| Some((text(item, "Name")?, text(item, "Value")))).collect();
    println!("{}", serde_json::to_string(&config)?);
    Ok(())
}
