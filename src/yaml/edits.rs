//! Edits of YAML text: keys and items put in or taken out where their neighbours stand, with the neighbours' indentation, list
//! style and line ends.

use super::{Node, NodeKind, Stream, Style};
use crate::edit::Edit;
use crate::text::Span;

/// A value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum New {
    /// A string, without quotes where YAML needs none.
    Plain(String),
    /// A string in double quotes.
    Quoted(String),
    /// A string of several lines, as a literal block; ends with a line break.
    Lines(String),
    Flag(bool),
    /// Nothing behind the key of a block, `null` in brackets.
    Null,
    List(Vec<New>),
    Map(Vec<(String, New)>),
}

impl New {
    pub fn plain(text: impl Into<String>) -> Self {
        New::Plain(text.into())
    }

    /// In double quotes where it holds `:`, `,` or `$`, which people mistake for YAML, else plain.
    pub fn entry(text: impl Into<String>) -> Self {
        let text = text.into();
        if text.contains([':', ',', '$']) { New::Quoted(text) } else { New::Plain(text) }
    }
}

/// How a file is laid out around a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Columns from a mapping's keys to those of a mapping inside it.
    pub step: usize,
    /// Columns from a key to the dashes of its list.
    pub dash: usize,
    /// `\n` or `\r\n`.
    pub eol: &'static str,
}

impl Layout {
    /// As the file does it: the indentation of the nodes in `near`, nearest first, then of the whole file.
    pub fn of(text: &str, stream: &Stream, near: &[&Node]) -> Self {
        let eol = match text.find('\n') {
            Some(at) if text[..at].ends_with('\r') => "\r\n",
            _ => "\n",
        };
        let all = || near.iter().copied().chain(&stream.documents);
        let step = all().find_map(|node| step(text, node, false)).unwrap_or(2);
        let dash = all().find_map(|node| self::step(text, node, true));
        Self { step, dash: dash.unwrap_or(step), eol }
    }
}

/// The columns from a key to the block collection that is its value, of the first pair that has one.
fn step(text: &str, node: &Node, list: bool) -> Option<usize> {
    match &node.kind {
        NodeKind::Mapping { pairs, flow: false } => {
            let own = pairs.iter().find_map(|(key, value)| match &value.kind {
                NodeKind::Mapping { pairs, flow: false } if !list => {
                    let inner = column(text, pairs.first()?.0.start);
                    inner.checked_sub(column(text, key.start)).filter(|step| (1..=8).contains(step))
                }
                NodeKind::Sequence { items, flow: false } if list => {
                    let dash = dash(text, items.first()?)?;
                    column(text, dash).checked_sub(column(text, key.start)).filter(|step| *step <= 8)
                }
                _ => None,
            });
            own.or_else(|| pairs.iter().find_map(|(_, value)| step(text, value, list)))
        }
        NodeKind::Sequence { items, .. } => items.iter().find_map(|item| step(text, item, list)),
        _ => None,
    }
}

/// The column of `offset`, from 0.
pub fn column(text: &str, offset: usize) -> usize {
    offset - line_start(text, offset)
}

fn line_start(text: &str, offset: usize) -> usize {
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8().min(offset) } else { start }
}

/// The end of the line that holds `offset`, in front of its line break.
fn line_end(text: &str, offset: usize) -> usize {
    let end = text[offset..].find('\n').map_or(text.len(), |at| offset + at);
    if text[offset..end].ends_with('\r') { end - 1 } else { end }
}

/// Where the dash of a block sequence's item stands.
fn dash(text: &str, item: &Node) -> Option<usize> {
    let before = text[..item.start].trim_end_matches([' ', '\t']);
    // The item may start on a line below its dash.
    let before = if before.ends_with('-') { before } else { before.trim_end() };
    before.ends_with('-').then(|| before.len() - 1)
}

/// Adds `pairs` at the end of a mapping.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn add_pairs(text: &str, mapping: &Node, pairs: &[(&str, New)], layout: Layout) -> Result<Vec<Edit>, String> {
    let NodeKind::Mapping { pairs: old, flow } = &mapping.kind else {
        return Err("it is no mapping".to_owned());
    };
    if *flow {
        return add_to_flow(text, mapping, old, pairs, layout);
    }
    let Some((first, _)) = old.first() else { return Err("it is empty".to_owned()) };
    let indent = column(text, first.start);
    let before = &text[line_start(text, first.start)..first.start];
    if !before.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
        return Err("its first key does not start its line".to_owned());
    }
    let mut lines: Vec<String> = pairs.iter().flat_map(|(key, value)| block_pair(key, value, indent, layout)).collect();
    if pairs.last().is_some_and(|(_, value)| ends_with_lines(value)) && !text[mapping.end()..].contains('\n') {
        // The last line of a block needs its own line break, which the file does not have.
        lines.push(String::new());
    }
    add_lines(text, mapping, &lines, layout).map(|edit| vec![edit]).or_else(|reason| {
        // What can't follow the last pair may stand in front of it.
        let start = old.last().map_or(first.start, |(key, _)| key.start);
        let line = line_start(text, start);
        if !text[line..start].bytes().all(|byte| byte == b' ') {
            return Err(reason);
        }
        let lines: String = lines.iter().map(|line| format!("{line}{}", layout.eol)).collect();
        Ok(vec![Edit::insert(line, lines)])
    })
}

/// [`add_pairs`], with an empty line in front where the pairs of the mapping are set apart by such; where there is only one, as `alone`
/// says.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn add_apart(
    text: &str,
    mapping: &Node,
    pairs: &[(&str, New)],
    alone: bool,
    layout: Layout,
) -> Result<Vec<Edit>, String> {
    let old = mapping.pairs();
    let gap = |pair: &[(Node, Node)]| {
        let between = text.get(pair[0].1.end().max(pair[0].0.end())..pair[1].0.start).unwrap_or("");
        let lines: Vec<&str> = between.split('\n').collect();
        lines.get(1..lines.len() - 1).is_some_and(|whole| whole.iter().any(|line| line.trim().is_empty()))
    };
    let is_apart = if old.len() < 2 { alone } else { old.windows(2).all(gap) };
    if !is_apart || mapping.is_flow() {
        return add_pairs(text, mapping, pairs, layout);
    }
    let mut edits = Vec::new();
    for pair in pairs {
        let mut new = add_pairs(text, mapping, std::slice::from_ref(pair), layout)?;
        for edit in &mut new {
            let eol = if edit.replacement.starts_with("\r\n") { "\r\n" } else { "\n" };
            if edit.replacement.starts_with(eol) {
                edit.replacement.insert_str(0, eol);
            }
        }
        edits = together(edits, new);
    }
    Ok(edits)
}

/// Edits of an inner and an outer block: what both insert at one place becomes one insertion, the inner one first.
pub fn together(inner: Vec<Edit>, outer: Vec<Edit>) -> Vec<Edit> {
    let mut edits = inner;
    for edit in outer {
        match edits.iter_mut().find(|known| known.span == edit.span && known.span.is_empty()) {
            Some(known) => known.replacement.push_str(&edit.replacement),
            None => edits.push(edit),
        }
    }
    edits
}

/// Whether a value is written as a block of lines at its end.
fn ends_with_lines(value: &New) -> bool {
    match value {
        New::Lines(_) => true,
        New::List(items) => items.last().is_some_and(ends_with_lines),
        New::Map(pairs) => pairs.last().is_some_and(|(_, value)| ends_with_lines(value)),
        _ => false,
    }
}

/// Puts items into an empty list in brackets.
///
/// # Errors
/// A list that is not empty, or holds a comment.
pub fn fill_list(text: &str, list: &Node, items: &New) -> Result<Vec<Edit>, String> {
    let inner = text.get(list.span.start + 1..list.span.end.saturating_sub(1)).unwrap_or("#");
    if !list.is_flow() || !list.is_sequence() || !inner.trim().is_empty() {
        return Err("the list that is there is not empty".to_owned());
    }
    Ok(vec![Edit::replace(list.span, flow(items, false))])
}

/// Adds `item` at the end of the list that is the value of `pair`.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn append_item(text: &str, pair: &(Node, Node), item: &New, layout: Layout) -> Result<Vec<Edit>, String> {
    let (key, list) = pair;
    let NodeKind::Sequence { items, flow } = &list.kind else { return Err("it is no list".to_owned()) };
    let Some(last) = items.last() else { return fill_list(text, list, &New::List(vec![item.clone()])) };
    if !flow {
        let dash = dash(text, last).ok_or("its last dash was not found")?;
        if !text[line_start(text, dash)..dash].bytes().all(|byte| byte == b' ') {
            return Err("its last dash does not start its line".to_owned());
        }
        let lines = block_item(item, column(text, dash), layout);
        return add_lines_behind(text, list, column(text, key.start), &lines, layout).map(|edit| vec![edit]);
    }
    let item = flow_text(text, item);
    let rest = text.get(last.end()..list.span.end.saturating_sub(1)).ok_or("its brackets were not found")?;
    if rest.contains('#') {
        return Err("a comment stands behind its last item".to_owned());
    }
    let own_line = text[line_start(text, last.start)..last.start].trim().is_empty();
    let gap = if own_line {
        format!("{}{}", layout.eol, &text[line_start(text, last.start)..last.start])
    } else {
        " ".to_owned()
    };
    Ok(vec![match rest.find(',') {
        Some(at) => Edit::insert(last.end() + at + 1, format!("{gap}{item},")),
        None => Edit::insert(last.end(), format!(",{gap}{item}")),
    }])
}

/// An item of a list in brackets, as JSON where the file is.
fn flow_text(text: &str, item: &New) -> String {
    flow(item, text.trim_start_matches('\u{feff}').trim_start().starts_with('{'))
}

/// Gives a key without a value one.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn fill(text: &str, pair: &(Node, Node), value: &New, layout: Layout) -> Result<Vec<Edit>, String> {
    let (key, old) = pair;
    let before = &text[line_start(text, key.start)..key.start];
    if !old.is_null() || !old.span.is_empty() || !before.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
        return Err("it is not empty".to_owned());
    }
    let lines = block_pair("", value, column(text, key.start), layout);
    let at = line_end(text, key.end());
    Ok(vec![Edit::insert(at, joined(text, at, &lines[1..], layout))])
}

/// A file of these keys, an empty line between them.
pub fn document(pairs: &[(&str, New)]) -> String {
    let layout = Layout { step: 2, dash: 2, eol: "\n" };
    let blocks = pairs.iter().map(|(key, value)| block_pair(key, value, 0, layout).join("\n") + "\n");
    blocks.collect::<Vec<_>>().join("\n")
}

/// Gives a key without a value a mapping.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn fill_null(text: &str, pair: &(Node, Node), pairs: &[(&str, New)], layout: Layout) -> Result<Vec<Edit>, String> {
    let (key, value) = pair;
    let before = &text[line_start(text, key.start)..key.start];
    if !value.is_null() || !value.span.is_empty() || !before.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
        return Err("it is no mapping".to_owned());
    }
    let indent = column(text, key.start) + layout.step;
    let lines: Vec<String> = pairs.iter().flat_map(|(key, value)| block_pair(key, value, indent, layout)).collect();
    let at = line_end(text, key.end());
    Ok(vec![Edit::insert(at, joined(text, at, &lines, layout))])
}

/// Puts lines behind the last line of a block mapping.
fn add_lines(text: &str, node: &Node, lines: &[String], layout: Layout) -> Result<Edit, String> {
    let indent = node.pairs().first().map_or(0, |(key, _)| column(text, key.start));
    add_lines_behind(text, node, indent, lines, layout)
}

/// Puts lines behind the last line of a block collection, and behind the comments below it that stand deeper than `indent` columns.
fn add_lines_behind(text: &str, node: &Node, indent: usize, lines: &[String], layout: Layout) -> Result<Edit, String> {
    if text.ends_with('\r') {
        return Err("the file ends with a carriage return without a line feed".to_owned());
    }
    let last = node.last();
    let is_block = matches!(&last.kind, NodeKind::Scalar { style: Style::Literal | Style::Folded, .. });
    if is_block {
        let end = last.span.end;
        let ends_line = text[..end].ends_with('\n');
        if !ends_line {
            return Err(
                "a block scalar ends the file without a line break, which a line behind it would add to its value"
                    .to_owned(),
            );
        }
        let header = text[..last.span.start].trim_end().rsplit([' ', ':', '\t']).next().unwrap_or("");
        let header =
            text[..last.span.start].trim_end().rfind(['|', '>']).map_or(header, |at| &text[at..last.span.start]);
        let keeps = header.lines().next().unwrap_or("").contains('+');
        if keeps || last.span.is_empty() {
            let lines: String = lines.iter().map(|line| format!("{line}{}", layout.eol)).collect();
            return Ok(Edit::insert(end, lines));
        }
        let content = text[..end].trim_end_matches(['\n', '\r', ' ']).len().max(last.span.start);
        let at = line_end(text, content);
        return Ok(Edit::insert(at, joined(text, at, lines, layout)));
    }
    let mut at = line_end(text, last.span.end);
    // Comments that stand deeper than the keys belong to what is above them.
    while let Some(start) = text[at..].find('\n').map(|length| at + length + 1) {
        let line = &text[start..line_end(text, start)];
        let deeper = line.len() - line.trim_start_matches(' ').len() > indent;
        if !(deeper && line.trim_start().starts_with('#')) {
            break;
        }
        at = line_end(text, start);
    }
    Ok(Edit::insert(at, joined(text, at, lines, layout)))
}

/// Each line behind a line break, as the line that ends at `at` has it.
fn joined(text: &str, at: usize, lines: &[String], layout: Layout) -> String {
    lines.iter().map(|line| format!("{}{line}", eol_at(text, at, layout))).collect()
}

/// The line break at `at`; at the end of the file that of the file.
fn eol_at(text: &str, at: usize, layout: Layout) -> &'static str {
    let rest = &text[at..];
    if rest.starts_with("\r\n") {
        "\r\n"
    } else if rest.starts_with('\n') {
        "\n"
    } else {
        layout.eol
    }
}

fn add_to_flow(
    text: &str,
    mapping: &Node,
    old: &[(Node, Node)],
    pairs: &[(&str, New)],
    layout: Layout,
) -> Result<Vec<Edit>, String> {
    let is_json = || text.trim_start_matches('\u{feff}').trim_start().starts_with('{');
    let json = old.first().map_or_else(is_json, |(key, _)| text[key.start..].starts_with('"'));
    let new: Vec<String> = pairs.iter().map(|(key, value)| flow_pair(key, value, json)).collect();
    let Some((key, value)) = old.last() else {
        return Ok(vec![Edit::insert(mapping.span.start + 1, new.join(", "))]);
    };
    let end = value.end().max(key.end());
    let rest = text.get(end..mapping.span.end.saturating_sub(1)).ok_or("its brackets were not found")?;
    let comma = rest.split('#').next().and_then(|plain| plain.find(','));
    let own_line = text[line_start(text, key.start)..key.start].trim().is_empty();
    if !own_line {
        return Ok(vec![match comma {
            Some(at) => Edit::insert(end + at + 1, format!(" {},", new.join(", "))),
            None => Edit::insert(end, format!(", {}", new.join(", "))),
        }]);
    }
    let indent = &text[line_start(text, key.start)..key.start];
    let separator = format!(",{}{indent}", layout.eol);
    let lines = format!("{}{indent}{}", layout.eol, new.join(&separator));
    let at = line_end(text, end);
    // The closing bracket may stand behind the last pair: then the line is not ours to the end.
    let at = if at >= mapping.span.end { end + comma.map_or(0, |at| at + 1) } else { at };
    Ok(match comma {
        Some(_) => vec![Edit::insert(at, format!("{lines},"))],
        None if at == end => vec![Edit::insert(end, format!(",{lines}"))],
        None => vec![Edit::insert(end, ","), Edit::insert(at, lines)],
    })
}

/// Turns the scalar value of `pair` into a mapping that holds it under `key`, with `more` behind it.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn wrap(
    text: &str,
    pair: &(Node, Node),
    in_flow: bool,
    key: &str,
    more: &[(&str, New)],
    layout: Layout,
) -> Result<Vec<Edit>, String> {
    let (name, value) = pair;
    if !matches!(&value.kind, NodeKind::Scalar { style: Style::Plain | Style::Single | Style::Double, .. }) {
        return Err("its value is no plain string".to_owned());
    }
    if value.anchor.is_some() || value.tag.is_some() || value.span.is_empty() {
        return Err("its value carries an anchor or a tag".to_owned());
    }
    if value.span.of(text).contains('\n') {
        return Err("its value goes over several lines".to_owned());
    }
    let json = text[name.start..].starts_with('"') && text[value.start..].starts_with('"');
    if in_flow {
        let key = if json { format!("\"{key}\"") } else { key.to_owned() };
        let new: String = more.iter().map(|(key, value)| format!(", {}", flow_pair(key, value, json))).collect();
        return Ok(vec![
            Edit::insert(value.span.start, format!("{{{key}: ")),
            Edit::insert(value.span.end, format!("{new}}}")),
        ]);
    }
    let between = text.get(name.end()..value.span.start).ok_or("its value was not found")?;
    let Some(colon) = between.find(':').filter(|_| !between.contains(['\n', '#'])) else {
        return Err("its value does not stand on the line of its key".to_owned());
    };
    let before = &text[line_start(text, name.start)..name.start];
    if !before.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
        return Err("its key does not start its line".to_owned());
    }
    let indent = column(text, name.start) + layout.step;
    let spaces = " ".repeat(indent);
    let gap = Span::new(name.end() + colon + 1, value.span.start);
    let lines: Vec<String> = more.iter().flat_map(|(key, value)| block_pair(key, value, indent, layout)).collect();
    let at = line_end(text, value.span.end);
    Ok(vec![
        Edit::replace(gap, format!("{}{spaces}{key}: ", eol_at(text, at, layout))),
        Edit::insert(at, joined(text, at, &lines, layout)),
    ])
}

/// Takes the pair or item out. `only` tells that nothing else is left in the collection, which then must not be a block one.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn remove(text: &str, collection: &Node, index: usize) -> Result<Edit, String> {
    let spans: Vec<(usize, usize)> = match &collection.kind {
        NodeKind::Mapping { pairs, .. } => {
            pairs.iter().map(|(key, value)| (key.start, value.end().max(key.end()))).collect()
        }
        NodeKind::Sequence { items, .. } => items.iter().map(|item| (item.start, item.end())).collect(),
        _ => return Err("it is no collection".to_owned()),
    };
    let &(start, end) = spans.get(index).ok_or("no such entry")?;
    if collection.is_flow() {
        return Ok(match (spans.get(index + 1), index.checked_sub(1)) {
            (Some(next), _) => Edit::delete(Span::new(start, next.0)),
            (None, Some(before)) => Edit::delete(Span::new(spans[before].1, end)),
            (None, None) => Edit::delete(Span::new(start, end)),
        });
    }
    if spans.len() == 1 {
        return Err("it is the only entry".to_owned());
    }
    let from = line_start(text, start);
    let prefix = &text[from..start];
    let ours = match collection.kind {
        NodeKind::Sequence { .. } => prefix.trim_start().trim_end() == "-",
        _ => prefix.trim().is_empty(),
    };
    if !ours {
        return Err("it does not start its line".to_owned());
    }
    remove_lines(text, from, end)
}

/// Takes out the lines from `from`, where a line starts, to the one that holds `end`.
fn remove_lines(text: &str, from: usize, end: usize) -> Result<Edit, String> {
    let stop = line_end(text, end);
    if !text[end..stop].trim().is_empty() {
        return Err("a comment stands behind it".to_owned());
    }
    let next = text[stop..].find('\n').map(|at| stop + at + 1);
    Ok(match next {
        Some(next) => Edit::delete(Span::new(from, next)),
        None => {
            // The last line of a file without a final line break: the break in front of it goes.
            let before = text[..from].trim_end_matches('\n').trim_end_matches('\r').len();
            Edit::delete(Span::new(before, stop))
        }
    })
}

/// A removal together with insertions, of which one may stand inside what goes: then it takes its place.
pub fn joint(text: &str, removal: Edit, insertions: Vec<Edit>) -> Vec<Edit> {
    let (inside, mut edits): (Vec<Edit>, Vec<Edit>) = insertions
        .into_iter()
        .partition(|edit| removal.span.start < edit.span.start && edit.span.start < removal.span.end);
    if inside.is_empty() {
        edits.push(removal);
        return edits;
    }
    // Lines that go are replaced by lines: the break in front of the new ones moves behind them.
    let gone = removal.span.of(text);
    let eol = if gone.ends_with("\r\n") { "\r\n" } else { "\n" };
    let new: String = inside.iter().map(|edit| edit.replacement.as_str()).collect();
    let new = match new.strip_prefix(eol) {
        Some(lines) if gone.ends_with('\n') => format!("{lines}{eol}"),
        _ => new,
    };
    edits.push(Edit::replace(removal.span, new));
    edits
}

/// Puts `item` in front of item `index` of a block sequence, above the comments that belong to that.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn insert_item(
    text: &str,
    stream: &Stream,
    sequence: &Node,
    index: usize,
    item: &New,
    layout: Layout,
) -> Result<Edit, String> {
    let NodeKind::Sequence { items, flow: false } = &sequence.kind else {
        return Err("the list is in brackets".to_owned());
    };
    let dash = dash(text, &items[index]).ok_or("its dash was not found")?;
    let mut at = line_start(text, dash);
    if !text[at..dash].trim().is_empty() {
        return Err("its dash does not start its line".to_owned());
    }
    let indent = column(text, dash);
    let floor = index.checked_sub(1).map_or(0, |before| items[before].end());
    while let Some(above) = text[..at].strip_suffix('\n') {
        let start = line_start(text, above.len());
        let is_comment = stream.comments.iter().any(|comment| {
            (start..at).contains(&comment.start)
                && text[start..comment.start].trim().is_empty()
                && comment.start - start == indent
        });
        if !is_comment || start < floor {
            break;
        }
        at = start;
    }
    let blank = index > 0 && text[..at].ends_with("\n\n") || text[..at].ends_with("\n\r\n");
    let mut lines = block_item(item, indent, layout);
    if blank {
        lines.push(String::new());
    }
    let lines: String = lines.iter().map(|line| format!("{line}{}", layout.eol)).collect();
    Ok(Edit::insert(at, lines))
}

/// Adds lines to a literal block; gives the edit and the new value.
///
/// # Errors
/// Why it can't be done here, as a reason.
pub fn append_lines(text: &str, node: &Node, lines: &[String], layout: Layout) -> Result<(Edit, String), String> {
    let NodeKind::Scalar { text: value, style: Style::Literal } = &node.kind else {
        return Err("it is no literal block (`|`)".to_owned());
    };
    if !value.ends_with('\n') || value.ends_with("\n\n") {
        return Err("it does not end with one line break".to_owned());
    }
    let indent = " ".repeat(column(text, node.span.start));
    let content = text[..node.span.end].trim_end_matches(['\n', '\r', ' ']).len().max(node.span.start);
    let new: String = lines.iter().map(|line| format!("{}{indent}{line}", layout.eol)).collect();
    let after = lines.iter().fold(value.clone(), |value, line| format!("{value}{line}\n"));
    Ok((Edit::insert(line_end(text, content), new), after))
}

fn block_pair(key: &str, value: &New, indent: usize, layout: Layout) -> Vec<String> {
    let spaces = " ".repeat(indent);
    match value {
        New::List(items) => {
            let inner = indent + layout.dash;
            std::iter::once(format!("{spaces}{key}:"))
                .chain(items.iter().flat_map(|item| block_item(item, inner, layout)))
                .collect()
        }
        New::Null => vec![format!("{spaces}{key}:")],
        New::Map(pairs) if pairs.is_empty() => vec![format!("{spaces}{key}: {{}}")],
        New::Map(pairs) => std::iter::once(format!("{spaces}{key}:"))
            .chain(pairs.iter().flat_map(|(key, value)| block_pair(key, value, indent + layout.step, layout)))
            .collect(),
        New::Lines(text) => {
            let inner = " ".repeat(indent + layout.step);
            std::iter::once(format!("{spaces}{key}: |"))
                .chain(text.lines().map(|line| format!("{inner}{line}")))
                .collect()
        }
        scalar => vec![format!("{spaces}{key}: {}", scalar_text(scalar, false))],
    }
}

fn block_item(item: &New, indent: usize, layout: Layout) -> Vec<String> {
    let spaces = " ".repeat(indent);
    match item {
        New::Map(pairs) => {
            let mut lines: Vec<String> =
                pairs.iter().flat_map(|(key, value)| block_pair(key, value, indent + 2, layout)).collect();
            if let Some(first) = lines.first_mut() {
                first.replace_range(indent..indent + 1, "-");
            }
            lines
        }
        scalar => vec![format!("{spaces}- {}", scalar_text(scalar, false))],
    }
}

fn flow_pair(key: &str, value: &New, json: bool) -> String {
    let key = if json { format!("\"{key}\"") } else { key.to_owned() };
    format!("{key}: {}", flow(value, json))
}

fn flow(value: &New, json: bool) -> String {
    match value {
        New::List(items) => format!("[{}]", items.iter().map(|item| flow(item, json)).collect::<Vec<_>>().join(", ")),
        New::Map(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(key, value)| flow_pair(key, value, json)).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        New::Plain(text) if json => quoted(text),
        scalar => scalar_text(scalar, true),
    }
}

/// A scalar as it stands in the file.
pub fn scalar_text(value: &New, in_flow: bool) -> String {
    match value {
        New::Flag(flag) => flag.to_string(),
        New::Null => "null".to_owned(),
        New::Plain(text) if is_plain(text, in_flow) => text.clone(),
        New::Plain(text) | New::Quoted(text) | New::Lines(text) => quoted(text),
        New::List(_) | New::Map(_) => flow(value, false),
    }
}

/// In double quotes. Escapes are those that YAML and JSON share.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for ch in text.chars() {
        match ch {
            '"' | '\\' => out.extend(['\\', ch]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            ch => out.push(ch),
        }
    }
    out.push('"');
    out
}

/// Whether a string may stand without quotes and is still read as a string.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let first_is_fine = text.starts_with(|ch: char| ch.is_ascii_alphabetic() || matches!(ch, '/' | '.' | '_' | '$'));
    let word = text.to_ascii_lowercase();
    let is_word = matches!(word.as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n");
    let is_number =
        text.starts_with('.') && text[1..].starts_with(|ch: char| ch.is_ascii_digit() || ch == 'i' || ch == 'n');
    first_is_fine
        && !is_word
        && !is_number
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(['\n', '\t', '\r'])
        && !(in_flow && text.contains([',', '[', ']', '{', '}', ':', '"']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::EditSet;
    use crate::yaml::{Difference, Path, Step, check};

    fn list(items: &[&str]) -> New {
        New::List(items.iter().map(|item| New::entry(*item)).collect())
    }

    fn at(keys: &[&str]) -> Path {
        std::iter::once(Step::Index(0)).chain(keys.iter().map(|key| Step::key(key))).collect()
    }

    /// Adds `cache_from` to `a.build` and checks the data.
    fn add(text: &str) -> String {
        let stream = Stream::read(text).unwrap();
        let parent = stream.node(&at(&["a"])).unwrap();
        let pair = parent.pair("build").unwrap();
        let layout = Layout::of(text, &stream, &[parent]);
        let new = [("cache_from", list(&["x:1"]))];
        let (edits, mut differences) = match pair.1.kind {
            NodeKind::Mapping { .. } => (add_pairs(text, &pair.1, &new, layout).unwrap(), Vec::new()),
            _ => (
                wrap(text, pair, parent.is_flow(), "context", &new, layout).unwrap(),
                vec![Difference::Wrap { path: at(&["a", "build"]), key: "context".to_owned() }],
            ),
        };
        differences.push(Difference::Set { path: at(&["a", "build", "cache_from"]), value: new[0].1.clone() });
        let after = EditSet::new(text, edits).unwrap().apply(text);
        check(text, &after, &differences).unwrap_or_else(|error| panic!("{error}\n{after}"));
        after
    }

    #[test]
    fn a_key_takes_the_layout_of_its_neighbours() {
        for (before, after) in [
            (
                "a:\n  build:\n    context: .\n  x: 1\n",
                "a:\n  build:\n    context: .\n    cache_from:\n      - \"x:1\"\n  x: 1\n",
            ),
            (
                "a:\n    build:\n        context: . # c\n    l:\n    - 1\n",
                "a:\n    build:\n        context: . # c\n        cache_from:\n        - \"x:1\"\n    l:\n    - 1\n",
            ),
            (
                "a:\r\n  build:\r\n    context: .\r\n",
                "a:\r\n  build:\r\n    context: .\r\n    cache_from:\r\n      - \"x:1\"\r\n",
            ),
            ("a:\n  build:\n    context: .", "a:\n  build:\n    context: .\n    cache_from:\n      - \"x:1\""),
            (
                "a:\n  build: ./x   # c\n  y: 1\n",
                "a:\n  build:\n    context: ./x   # c\n    cache_from:\n      - \"x:1\"\n  y: 1\n",
            ),
            ("a:\n  build: {context: .}\n", "a:\n  build: {context: ., cache_from: [\"x:1\"]}\n"),
            ("a:\n  build: {context: ., }\n", "a:\n  build: {context: ., cache_from: [\"x:1\"], }\n"),
            ("a: {build: ., y: 1}\n", "a: {build: {context: ., cache_from: [\"x:1\"]}, y: 1}\n"),
            (
                "a:\n  build: {\n    context: ., # c\n  }\n",
                "a:\n  build: {\n    context: ., # c\n    cache_from: [\"x:1\"],\n  }\n",
            ),
            (
                "a:\n  build: {\n    context: . # c\n  }\n",
                "a:\n  build: {\n    context: ., # c\n    cache_from: [\"x:1\"]\n  }\n",
            ),
            (
                "{\n  \"a\": {\n    \"build\": {\n      \"context\": \".\"\n    }\n  }\n}\n",
                "{\n  \"a\": {\n    \"build\": {\n      \"context\": \".\",\n      \"cache_from\": [\"x:1\"]\n    }\n  }\n}\n",
            ),
            (
                "a:\n  build:\n    args: |\n      x\n\n  y: 1\n",
                "a:\n  build:\n    args: |\n      x\n    cache_from:\n      - \"x:1\"\n\n  y: 1\n",
            ),
            (
                "a:\n  build:\n    args: |+\n      x\n\n  y: 1\n",
                "a:\n  build:\n    args: |+\n      x\n\n    cache_from:\n      - \"x:1\"\n  y: 1\n",
            ),
            (
                "a:\n  build:\n    context:\n    # c\nb: 1\n",
                "a:\n  build:\n    context:\n    cache_from:\n      - \"x:1\"\n    # c\nb: 1\n",
            ),
        ] {
            assert_eq!(add(before), after);
        }
    }

    #[test]
    fn a_key_goes_in_front_of_a_block_scalar_that_ends_the_file_without_a_line_break() {
        let before = "a:\n  build:\n    context: .\n    x: |\n      y";
        assert_eq!(add(before), "a:\n  build:\n    context: .\n    cache_from:\n      - \"x:1\"\n    x: |\n      y");
    }

    #[test]
    fn entries_are_removed_with_their_line() {
        for (text, path, index, after) in [
            ("a:\n  x: 1\n  y: 2\n", vec!["a"], 0, "a:\n  y: 2\n"),
            ("a:\n  x: 1\n  y: 2", vec!["a"], 1, "a:\n  x: 1"),
            ("a:\n  - x\n  - y\n", vec!["a"], 1, "a:\n  - x\n"),
            ("a: {x: 1, y: 2}\n", vec!["a"], 0, "a: {y: 2}\n"),
            ("a: {x: 1, y: 2}\n", vec!["a"], 1, "a: {x: 1}\n"),
            ("a: [x]\n", vec!["a"], 0, "a: []\n"),
        ] {
            let stream = Stream::read(text).unwrap();
            let edit = remove(text, stream.node(&at(&path)).unwrap(), index).unwrap();
            assert_eq!(EditSet::new(text, [edit]).unwrap().apply(text), after);
        }
    }

    #[test]
    fn an_item_is_put_above_the_comments_of_the_next() {
        let step = New::Map(vec![("name".to_owned(), New::plain("New")), ("uses".to_owned(), New::plain("u/v@v3"))]);
        for (text, index, after) in [
            ("s:\n  - a: 1\n  # c\n  - b: 1\n", 1, "s:\n  - a: 1\n  - name: New\n    uses: u/v@v3\n  # c\n  - b: 1\n"),
            ("s:\n- a: 1\n\n- b: 1\n", 1, "s:\n- a: 1\n\n- name: New\n  uses: u/v@v3\n\n- b: 1\n"),
            ("s:\n- a: 1\n", 0, "s:\n- name: New\n  uses: u/v@v3\n- a: 1\n"),
        ] {
            let stream = Stream::read(text).unwrap();
            let sequence = stream.node(&at(&["s"])).unwrap();
            let layout = Layout::of(text, &stream, &[]);
            let edit = insert_item(text, &stream, sequence, index, &step, layout).unwrap();
            assert_eq!(EditSet::new(text, [edit]).unwrap().apply(text), after);
        }
    }

    #[test]
    fn strings_that_would_not_stay_strings_are_quoted() {
        for text in ["yes", "1", "a: b", "a #b", "", "{x", ".5", "- x"] {
            assert!(scalar_text(&New::plain(text), false).starts_with('"'), "{text:?}");
        }
        for text in ["type=gha,scope=${{ matrix.x }}", "docker/setup-buildx-action@v3", "./x"] {
            assert_eq!(scalar_text(&New::plain(text), false), text);
        }
    }
}
