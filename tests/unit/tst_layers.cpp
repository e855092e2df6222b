// SPDX-License-Identifier: GPL-3.0-or-later
// What: scans every include of core and app against the dependency rule, and the size of files.
#include "test_data.h"

#include <fstream>
#include <map>
#include <set>

namespace fs = std::filesystem;

namespace {

// Folder -> other folders of core that it may include. base and records are open to all above them.
const std::map<std::string, std::set<std::string>>& rule() {
    static const std::set<std::string> light{"base",       "records",   "numerics", "stats", "wire",  "store", "config",
                                             "checkpoint", "tokenizer", "formats",  "tasks", "study", "drive"};
    static const std::map<std::string, std::set<std::string>> table = [] {
        std::map<std::string, std::set<std::string>> t{
            {"base", {}},
            {"records", {"base"}},
            {"numerics", {"base", "records"}},
            {"stats", {"base", "records"}},
            {"wire", {"base", "records"}},
            {"store", {"base", "records", "wire"}},
            {"config", {"base", "records", "numerics"}},
            {"checkpoint", {"base", "records", "numerics"}},
            {"tokenizer", {"base", "records"}},
            {"formats", {"base", "records", "numerics", "checkpoint", "tokenizer"}},
            {"tasks", {"base", "records"}},
        };
        std::set<std::string> below;
        for (const auto& [name, unused] : t) below.insert(name);
        t["study"] = below;
        below.insert("study");
        t["drive"] = below;
        std::set<std::string> engine = light;
        for (const auto* name : {"model", "quant", "data", "train", "eval", "export", "engine"}) engine.insert(name);
        for (const auto* name : {"model", "quant", "data", "train", "eval", "export"}) {
            t[name] = engine;
            t[name].erase("engine");
            t[name].erase("store");
            t[name].erase("drive");
            t[name].erase("study");
        }
        t["engine"] = engine;
        t["engine"].erase("store");
        t["engine"].erase("drive");
        t["engine"].erase("study");
        return t;
    }();
    return table;
}

std::vector<std::string> includesOf(const fs::path& file) {
    std::ifstream in(file);
    std::vector<std::string> found;
    for (std::string line; std::getline(in, line);) {
        const size_t keyword = line.find("include");
        const size_t hash = line.find_first_not_of(" \t");
        if (keyword == std::string::npos || line[hash] != '#' || line.find_first_not_of(" \t", hash + 1) != keyword) continue;
        const size_t open = line.find_first_of("<\"", keyword);
        const size_t close = open == std::string::npos ? open : line.find_first_of(">\"", open + 1);
        if (close != std::string::npos) found.push_back(line.substr(open + 1, close - open - 1));
    }
    return found;
}

bool isSource(const fs::path& path) {
    static const std::set<std::string> extensions{".h", ".cpp", ".cu", ".cuh"};
    return extensions.contains(path.extension().string());
}

} // namespace

class LayersTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void includesFollowTheRule() {
        const fs::path core = fs::path(QW_SOURCE_DIR) / "core";
        static const std::set<std::string> torchFolders{"model", "quant", "data", "train", "eval", "export", "engine"};
        QStringList wrong;
        int seen = 0;
        for (const auto& entry : fs::recursive_directory_iterator(core)) {
            if (!isSource(entry.path())) continue;
            const std::string folder = fs::relative(entry.path(), core).begin()->string();
            const auto allowed = rule().find(folder);
            QVERIFY2(allowed != rule().end(), ("core/" + folder + " has no line in the dependency rule").c_str());
            ++seen;
            for (const std::string& include : includesOf(entry.path())) {
                const bool torch = include.starts_with("torch/") || include.starts_with("ATen/") || include.starts_with("c10/");
                const bool qt = include.starts_with("Qt") ||
                                (include.size() > 1 && include[0] == 'Q' && std::isupper(static_cast<unsigned char>(include[1])));
                const std::string target = include.substr(0, include.find('/'));
                const bool ours = include.find('/') != std::string::npos && rule().contains(target);
                const bool bad =
                    qt || (torch && !torchFolders.contains(folder)) || (ours && target != folder && !allowed->second.contains(target));
                if (bad) wrong << QString::fromStdString(fs::relative(entry.path(), core).string() + " includes " + include);
            }
        }
        QVERIFY(seen > 10);
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join(QLatin1Char('\n'))));
    }
    void windowKnowsNoTorchAndLooksOnlyDown() {
        static const std::vector<std::string> order{"settings", "theme", "client", "widgets", "delegates", "models",
                                                    "charts",   "pages", "docks",  "dialogs", "shell"};
        static const std::set<std::string> engineFolders{"model", "quant", "data", "train", "eval", "export", "engine"};
        const fs::path ui = fs::path(QW_SOURCE_DIR) / "ui";
        const auto place = [](const std::string& folder) { return std::find(order.begin(), order.end(), folder) - order.begin(); };
        QStringList wrong;
        for (const auto& entry : fs::recursive_directory_iterator(ui)) {
            if (!isSource(entry.path())) continue;
            const std::string folder = fs::relative(entry.path(), ui).begin()->string();
            QVERIFY2(place(folder) < std::ssize(order), ("ui/" + folder + " has no place in the order").c_str());
            for (const std::string& include : includesOf(entry.path())) {
                const std::string target = include.substr(0, include.find('/'));
                const bool torch = target == "torch" || target == "ATen" || target == "c10";
                const bool ours = include.find('/') != std::string::npos && place(target) < std::ssize(order);
                if (torch || engineFolders.contains(target) || (ours && place(target) > place(folder)))
                    wrong << QString::fromStdString(fs::relative(entry.path(), ui).string() + " includes " + include);
            }
        }
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join(QLatin1Char('\n'))));
    }
    void lightHeadersIncludeOnlyTheStandardLibrary() {
        static const std::set<std::string> light{"base",       "records",   "numerics", "stats", "wire",  "store", "config",
                                                 "checkpoint", "tokenizer", "formats",  "tasks", "study", "drive"};
        QStringList wrong;
        for (const std::string& folder : light) {
            const fs::path dir = fs::path(QW_SOURCE_DIR) / "core" / folder;
            if (!fs::exists(dir)) continue;
            for (const auto& entry : fs::recursive_directory_iterator(dir)) {
                if (entry.path().extension() != ".h") continue;
                for (const std::string& include : includesOf(entry.path()))
                    if (include.starts_with("nlohmann") || include.starts_with("yaml") || include.starts_with("sqlite") ||
                        include.starts_with("pcre2"))
                        wrong << QString::fromStdString(entry.path().string() + " includes " + include);
            }
        }
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join(QLatin1Char('\n'))));
    }
    void filesStaySmall() {
        QStringList wrong;
        for (const char* top : {"core", "app", "ui", "tests"})
            for (const auto& entry : fs::recursive_directory_iterator(fs::path(QW_SOURCE_DIR) / top)) {
                if (!isSource(entry.path())) continue;
                std::ifstream in(entry.path());
                const auto lines = std::count(std::istreambuf_iterator<char>(in), {}, '\n');
                if (lines > 600) wrong << QString::fromStdString(entry.path().string() + ": " + std::to_string(lines));
            }
        QVERIFY2(wrong.isEmpty(), qPrintable(wrong.join(QLatin1Char('\n'))));
    }
};

QTEST_GUILESS_MAIN(LayersTest)
#include "tst_layers.moc"
