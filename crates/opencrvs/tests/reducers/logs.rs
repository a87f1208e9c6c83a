//! Writes action logs for the oracle, one a line: `logs COUNT VERSION`. README.md says what for.

mod generate;

use std::io::{BufWriter, Write as _};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [count, version] = arguments.as_slice() else {
        return Err("usage: logs COUNT VERSION, for example: logs 100000 2.0".into());
    };
    let (count, old): (u64, bool) = (count.parse()?, version == "1.9");
    let mut out = BufWriter::new(std::io::stdout().lock());
    for seed in 0..count {
        writeln!(out, "{}", generate::document(seed, old))?;
    }
    Ok(out.flush()?)
}
