// yaml-cpp scans and parses; its events build our tree. Its own document tree is not used: it keeps no line ends,
// shares nodes between aliases, lets duplicate keys pass, and walking it is where billion-laughs files explode.
//
// Aliases are expanded by copying, and every copy is paid for in advance: nodes and bytes of the whole tree are counted
// as they would be after expansion, and the first one too many ends the parse. An anchored value is kept once more
// until the end of its document, so it counts twice.
#include "core/yaml/parse.hpp"

#include "core/base/text.hpp"
#include "core/yaml/readable.hpp"
#include "core/yaml/scalar.hpp"
#include "core/yaml/syntax.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <utility>

namespace deployctl::yaml {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view core_tag_prefix = "tag:yaml.org,2002:";
// How much larger than the largest file the text of a tree may get by expansion.
constexpr std::size_t text_expansion = 8;

// Thrown through yaml-cpp once it makes no sense to go on; what is wrong has been reported.
struct GivenUp {};

// The text without byte order mark, and spans of places in it.
class Text {
 public:
  explicit Text(base::SourcePtr source) : source_(std::move(source)), text_(source_->text()) {
    if (text_.starts_with(byte_order_mark)) {
      text_.remove_prefix(byte_order_mark.size());
      mark_bytes_ = byte_order_mark.size();
    }
  }

  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::string_view from(std::size_t offset) const { return text_.substr(std::min(offset, text_.size())); }
  [[nodiscard]] std::string_view rest_of_line(std::size_t offset) const {
    const auto rest = from(offset);
    const auto line = rest.substr(0, rest.find('\n'));
    return line.substr(0, line.find('\r'));
  }

  [[nodiscard]] static std::size_t offset_of(const YAML::Mark& mark) {
    return mark.is_null() ? 0 : static_cast<std::size_t>(mark.pos);
  }
  [[nodiscard]] base::SourceSpan span(const YAML::Mark& mark, std::size_t length = 1) const {
    if (mark.is_null()) {
      return {source_, {}, 1};
    }
    const auto line = static_cast<std::size_t>(mark.line) + 1;
    const auto column = static_cast<std::size_t>(mark.column) + 1 + (line == 1 ? mark_bytes_ : 0);
    return {source_, {line, column}, std::max<std::size_t>(1, length)};
  }
  [[nodiscard]] base::SourceSpan span_at(std::size_t offset) const {
    const auto before = text_.substr(0, offset);
    YAML::Mark mark;
    mark.line = static_cast<int>(std::ranges::count(before, '\n'));
    mark.column = static_cast<int>(offset - (before.rfind('\n') + 1));
    return span(mark);
  }
  // What stands before the span on its line.
  [[nodiscard]] std::string_view line_before(const base::SourceSpan& span) const {
    return source_->line(span.begin.line).substr(0, span.begin.column - 1);
  }
  [[nodiscard]] base::SourceSpan whole_file() const { return {source_, {}, 1}; }

 private:
  base::SourcePtr source_;
  std::string_view text_;
  std::size_t mark_bytes_ = 0;
};

// A finished part of the tree and what it costs.
struct Built {
  Node node;
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t height = 0;  // levels of collections in it
};

// A collection that has not ended yet.
struct Open {
  Built built;
  YAML::anchor_t anchor = YAML::NullAnchor;
  bool is_flow = false;                           // in brackets
  std::optional<base::Located<std::string>> key;  // a mapping's, whose value comes next
};

// The length of the quoted text `rest` starts with, over all its lines; nothing when it is never closed, which yaml-cpp
// lets pass at the end of a file.
std::optional<std::size_t> quoted_length(std::string_view rest) {
  const char quote = rest.front();
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (quote == '"' && rest[at] == '\\') {
      ++at;
    } else if (rest[at] == quote) {
      if (quote == '"' || at + 1 == rest.size() || rest[at + 1] != quote) {
        return at + 1;
      }
      ++at;
    }
  }
  return std::nullopt;
}

bool is_quoted_text(std::string_view rest) {
  return rest.starts_with('"') || rest.starts_with('\'');
}

// Of a scalar without quotes, on the line it starts on.
std::size_t unquoted_length(std::string_view line, std::string_view value) {
  if (line.starts_with('|') || line.starts_with('>')) {
    return std::min(line.find_first_of(" \t"), line.size());
  }
  return std::min(line.size(), value.size());
}

// The text after blanks, line ends and remarks.
std::string_view after_space(std::string_view text) {
  while (!text.empty()) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
    if (!text.starts_with('#')) {
      break;
    }
    text.remove_prefix(std::min(text.find('\n'), text.size()));
  }
  return text;
}

// How long anchors and tags in front of a value are, with the blanks after them.
std::size_t length_of_properties(std::string_view line) {
  std::size_t at = 0;
  while (at < line.size() && (line[at] == '&' || line[at] == '!')) {
    at = std::min(line.find_first_of(" \t", at), line.size());
    at = std::min(line.find_first_not_of(" \t", at), line.size());
  }
  return at == line.size() ? 0 : at;
}

bool is_text_tag(const std::string& tag) {
  return tag == "!" || tag == "tag:yaml.org,2002:str";
}

// "!!int" for "tag:yaml.org,2002:int": as people write it.
std::string written_tag(const std::string& tag) {
  return base::printable(tag.starts_with(core_tag_prefix) ? "!!" + tag.substr(core_tag_prefix.size()) : tag);
}

bool fits_scalar(const std::string& tag, const std::string& value) {
  const auto type = std::string_view(tag).substr(core_tag_prefix.size());
  return (type == "null" && is_null_text(value)) || (type == "bool" && boolean_of_text(value)) ||
         (type == "int" && integer_of_text(value)) || (type == "float" && float_of_text(value));
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const Text& text, base::Diagnostics& diagnostics, const ParseLimits& limits)
      : text_(text), diagnostics_(diagnostics), limits_(limits) {}

  void OnDocumentStart(const YAML::Mark& mark) override { document_start_ = mark; }
  void OnDocumentEnd() override { anchors_.clear(); }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key()) {
      diagnostics_.error(text_.span(mark), "a key is missing here");
      set_key({"", text_.span(mark)});
      return;
    }
    add({.node = {.kind = NodeKind::null, .span = span_of_null(mark)}}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto span = text_.span(mark, text_.rest_of_line(Text::offset_of(mark)).find_first_of(" \t,]}"));
    last_event_end_ = Text::offset_of(mark) + 1;
    if (expects_key()) {
      diagnostics_.error(span, "an alias cannot be a key");
      set_key({"", span});
      return;
    }
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      diagnostics_.error(span, "this alias stands inside the value it refers to");
      add({.node = {.kind = NodeKind::null, .span = span}}, YAML::NullAnchor);
      return;
    }
    if (open_.size() + found->second.height > limits_.depth) {
      refuse_depth(span);
    }
    pay(found->second, span);
    attach(found->second);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    auto node = scalar(mark, tag, value);
    if (!expects_key()) {
      add({.node = std::move(node), .bytes = value.size()}, anchor);
      return;
    }
    if (value == "<<" && !node.is_quoted) {
      diagnostics_.error(node.span, "merge keys (<<) are not supported", "write the keys out");
    }
    set_key({node.scalar, node.span});
    if (anchor != YAML::NullAnchor) {
      remember({.node = std::move(node), .bytes = value.size()}, anchor);
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    begin(NodeKind::sequence, mark, tag, anchor, style);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    begin(NodeKind::mapping, mark, tag, anchor, style);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override {
    report_repeated_keys(open_.back().built.node.entries);
    end();
  }

  // Of the document that was just read.
  Node take_root() { return std::exchange(root_, {}); }
  [[nodiscard]] const YAML::Mark& document_start() const { return document_start_; }

  // For complaints about what has no end.
  [[nodiscard]] std::size_t last_event_end() const { return last_event_end_; }
  [[nodiscard]] const base::SourceSpan* innermost_open() const {
    return open_.empty() ? nullptr : &open_.back().built.node.span;
  }

 private:
  [[nodiscard]] bool expects_key() const {
    return !open_.empty() && open_.back().built.node.kind == NodeKind::mapping && !open_.back().key;
  }
  void set_key(base::Located<std::string> key) {
    pay({.bytes = key->size()}, key.span);
    open_.back().key = std::move(key);
  }

  Node scalar(const YAML::Mark& mark, const std::string& tag, const std::string& value) {
    const auto line = text_.rest_of_line(Text::offset_of(mark));
    const auto skipped = length_of_properties(line);
    const auto begin = Text::offset_of(mark) + skipped;
    const auto length = scalar_length(begin, value);
    last_event_end_ = begin + length;
    const auto length_on_line = std::min(length, line.size() - skipped);
    Node node{.kind = NodeKind::scalar,
              .span = text_.span(mark, length_on_line),
              .scalar = value,
              .is_quoted = is_text_tag(tag)};
    node.span.begin.column += skipped;
    if (value.size() > limits_.scalar_bytes) {
      give_up(node.span, fmt::format("this text is {} long; at most {} are allowed", base::human_bytes(value.size()),
                                     base::human_bytes(limits_.scalar_bytes)));
    }
    check_scalar_tag(tag, value, text_.span(mark));
    return node;
  }

  std::size_t scalar_length(std::size_t begin, const std::string& value) {
    const auto rest = text_.from(begin);
    if (!is_quoted_text(rest)) {
      return unquoted_length(text_.rest_of_line(begin), value);
    }
    const auto length = quoted_length(rest);
    if (!length) {
      give_up(text_.span_at(begin), "this quoted text is never closed");
    }
    return *length;
  }

  void check_scalar_tag(const std::string& tag, const std::string& value, const base::SourceSpan& span) {
    if (tag == "?" || tag.empty() || is_text_tag(tag)) {
      return;
    }
    const auto types = {"null", "bool", "int", "float"};
    const bool is_known =
        tag.starts_with(core_tag_prefix) && std::ranges::find(types, tag.substr(core_tag_prefix.size())) != types.end();
    if (!is_known) {
      refuse_tag(tag, span);
    } else if (!fits_scalar(tag, value)) {
      diagnostics_.error(
          span, fmt::format("'{}' does not fit the tag {}", base::printable(value.substr(0, 64)), written_tag(tag)));
    }
  }

  void refuse_tag(const std::string& tag, const base::SourceSpan& span) {
    diagnostics_.error(span, fmt::format("the tag {} is not supported", written_tag(tag)), "remove it");
  }

  // An absent value has no place of its own; its key or its dash has.
  base::SourceSpan span_of_null(const YAML::Mark& mark) {
    const auto line = text_.rest_of_line(Text::offset_of(mark));
    const auto word = line.substr(0, line.find_first_of(" \t,]}"));
    if (!word.empty() && is_null_text(word)) {
      last_event_end_ = Text::offset_of(mark) + word.size();
      return text_.span(mark, word.size());
    }
    if (!open_.empty() && open_.back().key) {
      if (!open_.back().is_flow) {
        check_for_colon(*open_.back().key);
      }
      return open_.back().key->span;
    }
    const auto before = base::trim(text_.text().substr(0, Text::offset_of(mark)));
    return before.ends_with('-') ? text_.span_at(static_cast<std::size_t>(&before.back() - text_.text().data()))
                                 : text_.span(mark);
  }

  // yaml-cpp takes the last line of a mapping for a key without a value when it has no colon.
  void check_for_colon(const base::Located<std::string>& key) {
    const auto next = after_space(text_.from(last_event_end_));
    const bool is_explicit = text_.line_before(key.span).find('?') != std::string_view::npos;
    if (!is_explicit && !next.starts_with(':')) {
      diagnostics_.error(key.span, fmt::format("there is no ':' after '{}'", base::printable(key->substr(0, 64))),
                         "write 'key: value'");
    }
  }

  void begin(NodeKind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YAML::EmitterStyle::value style) {
    const auto span = text_.span(mark);
    last_event_end_ = Text::offset_of(mark);
    if (expects_key()) {
      give_up(span, "a key must be plain text");
    }
    if (open_.size() == limits_.depth) {
      refuse_depth(span);
    }
    const bool has_tag = tag != "?" && tag != "!" && !tag.empty();
    if (has_tag && tag != fmt::format("{}{}", core_tag_prefix, kind == NodeKind::sequence ? "seq" : "map")) {
      refuse_tag(tag, span);
    }
    pay({}, span);
    open_.push_back({.built = {.node = {.kind = kind, .span = span}, .height = 1},
                     .anchor = anchor,
                     .is_flow = style == YAML::EmitterStyle::Flow,
                     .key = {}});
  }

  void end() {
    auto closed = std::move(open_.back());
    open_.pop_back();
    if (closed.anchor != YAML::NullAnchor) {
      remember(closed.built, closed.anchor);
    }
    attach(std::move(closed.built));
  }

  void add(Built built, YAML::anchor_t anchor) {
    pay(built, built.node.span);
    if (anchor != YAML::NullAnchor) {
      remember(built, anchor);
    }
    attach(std::move(built));
  }

  void remember(Built built, YAML::anchor_t anchor) {
    pay(built, built.node.span);
    anchors_.insert_or_assign(anchor, std::move(built));
  }

  void attach(Built built) {
    if (open_.empty()) {
      root_ = std::move(built.node);
      return;
    }
    auto& parent = open_.back();
    parent.built.nodes += built.nodes;
    parent.built.bytes += built.bytes;
    parent.built.height = std::max(parent.built.height, built.height + 1);
    if (parent.built.node.kind == NodeKind::sequence) {
      parent.built.node.items.push_back(std::move(built.node));
      return;
    }
    parent.built.bytes += (*parent.key)->size();
    parent.built.node.entries.push_back({std::move(*parent.key), std::move(built.node)});
    parent.key.reset();
  }

  void pay(const Built& built, const base::SourceSpan& span) {
    nodes_ += built.nodes;
    bytes_ += built.bytes;
    if (nodes_ > limits_.nodes) {
      give_up(span, fmt::format("the file holds more than {} values, counting what its aliases repeat", limits_.nodes));
    }
    if (bytes_ > limits_.bytes * text_expansion) {
      give_up(span, fmt::format("the file holds more than {} of text, counting what its aliases repeat",
                                base::human_bytes(limits_.bytes * text_expansion)));
    }
  }

  void refuse_depth(const base::SourceSpan& span) {
    give_up(span, fmt::format("the file is nested deeper than {} levels", limits_.depth));
  }

  [[noreturn]] void give_up(const base::SourceSpan& span, std::string message) {
    diagnostics_.error(span, std::move(message));
    throw GivenUp{};
  }

  // Once a mapping is complete, so that a large one costs a sort and not a search for every key.
  void report_repeated_keys(const std::vector<Entry>& entries) {
    std::vector<const Entry*> sorted;
    sorted.reserve(entries.size());
    for (const auto& entry : entries) {
      sorted.push_back(&entry);
    }
    std::ranges::stable_sort(sorted, {}, [](const Entry* entry) -> const std::string& { return *entry->key; });
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      if (sorted[i - 1]->key == sorted[i]->key) {
        const auto& again = sorted[i]->key;
        diagnostics_.error(again.span, fmt::format("the key '{}' is given twice", base::printable(*again)),
                           fmt::format("it stands in line {} already", sorted[i - 1]->key.span.begin.line));
      }
    }
  }

  const Text& text_;
  base::Diagnostics& diagnostics_;
  const ParseLimits& limits_;
  std::vector<Open> open_;  // outermost first
  std::map<YAML::anchor_t, Built> anchors_;
  Node root_;
  YAML::Mark document_start_;
  std::size_t last_event_end_ = 0;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

// The place of a tab in the indentation of the line that holds `offset`, or of the line before it.
std::optional<std::size_t> find_tab_indentation(std::string_view text, std::size_t offset) {
  for (int lines = 0; lines < 2; ++lines) {
    const auto begin = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
    const auto line = text.substr(begin, text.find('\n', begin) - begin);
    const auto indentation = line.substr(0, line.find_first_not_of(" \t"));
    if (const auto tab = indentation.find('\t'); tab != std::string_view::npos) {
      return begin + tab;
    }
    if (begin == 0) {
      break;
    }
    offset = begin - 1;
  }
  return std::nullopt;
}

void report_open_bracket(const base::SourceSpan& bracket, const YAML::Mark& mark, const std::string& message,
                         const Text& text, base::Diagnostics& diagnostics) {
  if (base::trim(text.from(Text::offset_of(mark))).empty()) {
    diagnostics.error(bracket, "this bracket is never closed");
  } else {
    diagnostics.error(text.span(mark), message,
                      fmt::format("the bracket in line {} is still open", bracket.begin.line));
  }
}

void report(const YAML::ParserException& error, const Text& text, const TreeBuilder& builder,
            base::Diagnostics& diagnostics) {
  const auto offset = std::min(Text::offset_of(error.mark), text.text().size());
  if (const auto tab = find_tab_indentation(text.text(), offset)) {
    diagnostics.error(text.span_at(*tab), "tabs cannot indent YAML; use spaces");
    return;
  }
  const auto [message, hint] = explain(error.msg, text.from(offset));
  if (is_about_open_quote(error.msg)) {
    const auto quote = text.text().find_first_of("\"'", builder.last_event_end());
    diagnostics.error(text.span_at(std::min(quote, offset)), message, hint);
  } else if (is_about_escape(error.msg)) {
    const auto backslash = text.text().substr(0, offset).rfind('\\');
    diagnostics.error(text.span_at(std::min(backslash, offset)), message, hint);
  } else if (is_about_open_bracket(error.msg) && builder.innermost_open() != nullptr) {
    report_open_bracket(*builder.innermost_open(), error.mark, message, text, diagnostics);
  } else {
    diagnostics.error(text.span(error.mark), message, hint);
  }
}

bool is_readable(const Text& text, base::Diagnostics& diagnostics, const ParseLimits& limits) {
  if (text.text().size() > limits.bytes) {
    diagnostics.error(text.whole_file(),
                      fmt::format("the file is {} long; at most {} are read", base::human_bytes(text.text().size()),
                                  base::human_bytes(limits.bytes)));
    return false;
  }
  if (const auto unreadable = find_unreadable(text.text())) {
    diagnostics.error(text.span_at(unreadable->offset), unreadable->message, unreadable->hint);
    return false;
  }
  return true;
}

enum class Documents { one, many };

class StreamReader {
 public:
  StreamReader(const Text& text, base::Diagnostics& diagnostics, const ParseLimits& limits)
      : text_(text),
        diagnostics_(diagnostics),
        input_(std::string(text.text())),
        parser_(input_),
        builder_(text, diagnostics, limits) {}

  std::vector<Node> read(Documents allowed) {
    try {
      read_documents(allowed);
    } catch (const GivenUp&) {
      roots_.clear();
    } catch (const YAML::ParserException& error) {
      report(error, text_, builder_, diagnostics_);
    }
    return std::move(roots_);
  }

 private:
  void read_documents(Documents allowed) {
    for (std::size_t number = 1; parser_.HandleNextDocument(builder_); ++number) {
      if (number > 1 && !begins_with_marker()) {
        // yaml-cpp takes what it cannot join to a document for the next one.
        diagnostics_.error(document_span(), "this does not belong to what stands above",
                           "check the indentation, and quotes and brackets above");
        return;
      }
      if (number > 1 && allowed == Documents::one) {
        diagnostics_.error(document_span(), "a second document starts here", "a file may hold one only");
        return;
      }
      roots_.push_back(builder_.take_root());
    }
  }
  [[nodiscard]] base::SourceSpan document_span() const { return text_.span(builder_.document_start()); }
  [[nodiscard]] bool begins_with_marker() const {
    return text_.from(Text::offset_of(builder_.document_start())).starts_with("---");
  }

  const Text& text_;
  base::Diagnostics& diagnostics_;
  std::istringstream input_;
  YAML::Parser parser_;
  TreeBuilder builder_;
  std::vector<Node> roots_;
};

std::vector<Node> read(const base::SourcePtr& source, base::Diagnostics& diagnostics, const ParseLimits& limits,
                       Documents allowed) {
  const Text text(source);
  base::Diagnostics found;
  std::vector<Node> roots;
  if (is_readable(text, found, limits)) {
    roots = StreamReader(text, found, limits).read(allowed);
  }
  if (found.has_errors()) {
    roots.clear();
  }
  diagnostics.append(std::move(found));
  return roots;
}

}  // namespace

Node parse(const base::SourcePtr& source, base::Diagnostics& diagnostics, ParseLimits limits) {
  auto roots = read(source, diagnostics, limits, Documents::one);
  return roots.empty() ? Node{} : std::move(roots.front());
}

std::vector<Node> parse_stream(const base::SourcePtr& source, base::Diagnostics& diagnostics, ParseLimits limits) {
  auto roots = read(source, diagnostics, limits, Documents::many);
  std::erase_if(roots, is_null);
  return roots;
}

}  // namespace deployctl::yaml
