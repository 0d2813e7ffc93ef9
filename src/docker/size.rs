//! Sizes and durations as Docker's programs print them.

use std::time::Duration;

/// Bytes of `1.2GB` (decimal) or `3.346GiB` (binary). A `*`, the mark of a shared record, counts as nothing.
pub fn bytes(text: &str) -> Option<u64> {
    let text = text.trim().trim_end_matches('*');
    let end = text.find(|ch: char| !(ch.is_ascii_digit() || ch == '.')).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let unit = text[end..].trim().to_ascii_lowercase();
    let factor: f64 = match unit.as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "kib" => 1024.0,
        "mib" => 1024.0 * 1024.0,
        "gib" => 1024.0 * 1024.0 * 1024.0,
        "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    // Rounded as printed; a size is no more exact than that.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some((number * factor).round() as u64)
}

/// Bytes for people, in decimal units: `3.6 GB`.
pub fn shown(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => {
            let (bytes, unit) = (u128::from(bytes), u128::from(*unit));
            let tenths = (bytes * 10 + unit / 2) / unit;
            match (tenths / 10, tenths % 10) {
                (whole, 0) => format!("{whole} {name}"),
                (whole, _) if whole >= 100 => format!("{whole} {name}"),
                (whole, tenth) => format!("{whole}.{tenth} {name}"),
            }
        }
        None => format!("{bytes} B"),
    }
}

/// A duration as Go prints it: `48h0m0s`.
pub fn duration(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = rest.find(|ch: char| !(ch.is_ascii_digit() || ch == '.'))?;
        let number: f64 = rest[..end].parse().ok()?;
        let after = &rest[end..];
        let unit = after.find(|ch: char| ch.is_ascii_digit()).unwrap_or(after.len());
        seconds += number
            * match &after[..unit] {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 0.001,
                _ => return None,
            };
        rest = &after[unit..];
    }
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_decimal_and_binary_units() {
        for (text, expected) in [
            ("0B", 0),
            ("20.98MB", 20_980_000),
            ("12.51kB*", 12_510),
            ("488.3MiB", 512_019_661),
            ("3.346GiB", 3_592_740_143),
            ("512000000", 512_000_000),
        ] {
            assert_eq!(bytes(text), Some(expected), "{text}");
        }
        assert_eq!(bytes("many"), None);
        assert_eq!(bytes("3 apples"), None);
    }

    #[test]
    fn sizes_are_shown_in_decimal_units() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (20_980_000, "21 MB"),
            (512_019_661, "512 MB"),
            (3_592_740_143, "3.6 GB"),
            (u64::MAX, "18446744 TB"),
        ] {
            assert_eq!(shown(bytes), text);
        }
    }

    #[test]
    fn durations_of_go_are_read() {
        assert_eq!(duration("48h0m0s"), Some(Duration::from_secs(48 * 3600)));
        assert_eq!(duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(duration("soon"), None);
        assert_eq!(duration("5"), None);
    }
}
