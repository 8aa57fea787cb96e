//! Output: the printer both command-line tools share, and tables.

pub use adf_config::printer::{Format, Printer, Terminal, Text};
pub use adf_config::text::plain;
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

/// A table for a terminal: a header, then rows, columns two spaces apart. Cells are made safe to show.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut builder = Builder::default();
    builder.push_record(header);
    for row in rows {
        builder.push_record(row.map(|cell| plain(&cell).into_owned()));
    }
    let mut table = builder.build();
    table.with(Style::blank()).with(Padding::new(0, 1, 0, 0));
    let lines = table.to_string();
    lines.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}
