// SPDX-License-Identifier: GPL-3.0-or-later
#include "pages/live/live_tiles.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>

namespace qw::ui {
namespace {

QString tr(const char* text) { return QCoreApplication::translate("LiveTiles", text); }

TileSpec tile(const char* id, const QString& title, const QString& unit, std::vector<TileLine> lines) {
    TileSpec spec;
    spec.id = QString::fromLatin1(id);
    spec.title = title;
    spec.unit = unit;
    spec.emptyText = tileTextForSteps();
    spec.lines = std::move(lines);
    return spec;
}

TileSpec layerTile(const char* id, const QString& title, const QString& unit, const char* kind, double factor = 1) {
    const std::string name = std::string("layer.") + kind;
    TileSpec spec = tile(id, title, unit, {{name + ":worst", tr("worst layer"), 0}, {name + ":median", tr("median"), 1}});
    for (TileLine& line : spec.lines) line.smooth = line.overlaid = false;
    spec.layerKind = kind;
    spec.factor = factor;
    spec.emptyText = tr("Measured on quantized layers, every log.layer_every steps");
    return spec;
}

std::vector<TileSpec> makeTable() {
    std::vector<TileSpec> table;
    TileSpec loss = tile("loss", tr("Loss"), tr("nats/token"), {{"train.loss", tr("train"), 0}, {"eval.loss", tr("eval"), 1, true, false}});
    loss.columns = loss.rows = 2;
    loss.fakeQuant = loss.positive = true;
    table.push_back(loss);
    TileSpec sqnr = layerTile("sqnr", tr("Weight SQNR of the layers"), tr("dB"), "w_sqnr");
    sqnr.columns = 2;
    sqnr.fakeQuant = true;
    table.push_back(sqnr);
    TileSpec norm = tile("grad_norm", tr("Gradient norm"), {}, {{"train.grad_norm", {}, 0}});
    norm.positive = true;
    table.push_back(norm);
    table.push_back(tile("lr", tr("Learning rate"), {}, {{"train.lr", {}, 0, false, false}}));
    TileSpec eval = tile("eval", tr("Evaluation"), {},
                         {{"eval.loss", tr("loss"), 0, true, false}, {"eval.loss_float", tr("loss, float"), 2, true, false}});
    eval.positive = true;
    eval.emptyText = tr("Comes with the first evaluation (eval.every)");
    table.push_back(eval);
    table.push_back(tile("tokens", tr("Tokens/s"), {},
                         {{"perf.tokens_per_s", tr("all"), 0}, {"perf.label_tokens_per_s", tr("with a label"), 1}}));
    TileSpec memory = tile("memory", tr("Memory"), tr("GB"),
                           {{"mem.rss", tr("process"), 0, false, false},
                            {"mem.rss_peak", tr("its peak"), 1, false, false},
                            {"mem.gpu_alloc", tr("GPU"), 2, false, false}});
    memory.factor = 1e-9;
    table.push_back(memory);
    table.push_back(layerTile("clip", tr("Clipped"), tr("%"), "clip_frac", 100));
    table.push_back(layerTile("drift", tr("Scale drift, mean |log2|"), {}, "scale_drift_mean"));
    table.push_back(layerTile("flips", tr("Flipped codes per step"), tr("%"), "flip_rate", 100));
    TileSpec tasks = tile("tasks", tr("Task results"), {}, {});
    tasks.taskLines = true;
    tasks.emptyText = tr("Comes with the tasks' evaluation");
    table.push_back(tasks);
    table.push_back(tile("ppl", tr("Evaluation perplexity"), {}, {{"eval.ppl", {}, 0, true, false}}));
    table.push_back(layerTile("drift_max", tr("Scale drift, largest |log2|"), {}, "scale_drift_max"));
    table.push_back(layerTile("update", tr("Update to weight ratio"), {}, "update_ratio"));
    table.push_back(tile("clip_coef", tr("Clipping coefficient"), {}, {{"train.clip_coef", {}, 0}}));
    table.push_back(tile("times", tr("Time of a step"), tr("ms"),
                         {{"time.total", tr("all"), 0},
                          {"time.forward", tr("forward"), 1},
                          {"time.backward", tr("backward"), 2},
                          {"time.optimizer", tr("optimizer"), 3}}));
    table.push_back(tile("epoch", tr("Epoch"), {}, {{"train.epoch", {}, 0, false, false}}));
    TileSpec disk = tile("disk", tr("Free disk space"), tr("GB"), {{"mem.free_disk", {}, 0, false, false}});
    disk.factor = 1e-9;
    table.push_back(disk);
    return table;
}

} // namespace

QString tileTextForSteps() { return tr("Comes with the first step"); }

const std::vector<TileSpec>& tileTable() {
    static const std::vector<TileSpec> table = makeTable();
    return table;
}

const TileSpec* findTile(const QString& id) {
    const auto& table = tileTable();
    const auto at = std::find_if(table.begin(), table.end(), [&](const TileSpec& spec) { return spec.id == id; });
    return at == table.end() ? nullptr : &*at;
}

QStringList defaultTiles() {
    return {QStringLiteral("loss"),  QStringLiteral("sqnr"),   QStringLiteral("grad_norm"), QStringLiteral("lr"),
            QStringLiteral("eval"),  QStringLiteral("tokens"), QStringLiteral("memory"),    QStringLiteral("clip"),
            QStringLiteral("drift"), QStringLiteral("flips"),  QStringLiteral("tasks")};
}

} // namespace qw::ui
