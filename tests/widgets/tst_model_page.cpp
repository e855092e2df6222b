// SPDX-License-Identifier: GPL-3.0-or-later
// What: page Model: its four states, what it shows of a model, the numbers of a tensor, errors that name the file and a way out.
#include "config/recipe_file.h"
#include "desk.h"
#include "models/model_tree.h"
#include "page_pictures.h"
#include "pages/model/model_page.h"
#include "pages/model/weight_microscope.h"
#include "tiny_model.h"
#include "tokenizer/tokenizer.h"

#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSignalSpy>
#include <QTreeView>

using namespace qw;
using namespace qw::ui;

namespace {

const QString kSample = QStringLiteral(QW_SOURCE_DIR "/resources/sample/model");

} // namespace

class ModelPageTest : public QObject {
    Q_OBJECT
    test::TempDir m_dir;
    using Window = test::PageWindow<ModelPage>;
    std::unique_ptr<Window> make() { return std::make_unique<Window>(m_dir.path() / "s.ini", QSize(1000, 650)); }
    QString folder(const char* name) { return QString::fromStdString((m_dir.path() / name).string()); }

private Q_SLOTS:
    void emptyOffersTwoWays() {
        auto w = make();
        QCOMPARE(w->state(), QStringLiteral("empty"));
        QVERIFY(w->find<QLabel>("emptyText")->text().contains(QLatin1String("config.json")));
        QVERIFY(w->find<QPushButton>("emptyAction")->isVisible());
        int samples = 0;
        w->actions.add({QStringLiteral("file.sample"), QStringLiteral("s"), {}, QStringLiteral("h"), {}}, this, [&] { ++samples; });
        w->find<QPushButton>("emptySecond")->click();
        QCOMPARE(samples, 1);
    }

    void showsAModel() {
        auto w = make();
        w->session.model.open(kSample);
        QCOMPARE(w->state(), QStringLiteral("loading"));
        QTRY_COMPARE(w->state(), QStringLiteral("ready"));
        const auto tokenizer = tokenizer::Tokenizer::load(utf8(kSample));
        QVERIFY(tokenizer);
        const auto tokens = qlonglong(tokenizer->vocabSize());
        QTRY_VERIFY(w->find<QLabel>("modelSummary")->text().contains(QStringLiteral("%1 tokens").arg(QLocale().toString(tokens))));
        const QString summary = w->find<QLabel>("modelSummary")->text();
        for (const QString& part : {tr("llama"), tr("3 layers"), tr("256 tokens"), tr("none missing"), tr("shares the embedding")})
            QVERIFY2(summary.contains(part), qPrintable(part));
        // The first linear layer is selected, and its numbers are all read.
        auto* microscope = w->find<WeightMicroscope>("weightMicroscope");
        QTRY_VERIFY(microscope->isExact());
        QVERIFY(w->find<QLabel>("microscopeSure")->text().contains(QLatin1String("exact")));
        auto* tree = w->find<QTreeView>("modelTree");
        QCOMPARE(tree->currentIndex().siblingAtColumn(0).data(ModelTree::FullNameRole).toString(),
                 QStringLiteral("model.layers.0.self_attn.q_proj.weight"));
        QCOMPARE(tree->currentIndex().siblingAtColumn(ModelTree::Quantizes).data().toString(),
                 QStringLiteral("int4 g32 sym + activation int8 per-token asym"));
        w->find<QLineEdit>("modelFilter")->setText(QStringLiteral("*.k_proj"));
        QCOMPARE(w->find<QLabel>("modelCount")->text(), QStringLiteral("3 tensors"));
        w->session.model.close();
        QCOMPARE(w->state(), QStringLiteral("empty"));
    }

    void verdictsFollowTheScheme() {
        const std::string config = test::tinyConfig("llama");
        QVERIFY(test::writeTinyModel(m_dir.path() / "odd", config, test::tinyTensors(config, false)));
        auto w = make();
        w->session.model.open(folder("odd"));
        QTRY_COMPARE(w->state(), QStringLiteral("ready"));
        auto* tree = w->find<QTreeView>("modelTree");
        const auto words = [&](const char* name) {
            const auto found = tree->model()->match(tree->model()->index(0, 0), ModelTree::FullNameRole, QString::fromLatin1(name), 1,
                                                    Qt::MatchExactly | Qt::MatchRecursive);
            return found.isEmpty() ? QStringLiteral("?") : found.front().siblingAtColumn(ModelTree::Quantizes).data().toString();
        };
        QVERIFY(words("model.layers.0.input_layernorm.weight").startsWith(QLatin1String("norm")));
        QVERIFY(words("model.layers.0.mlp.down_proj.weight").startsWith(QLatin1String("int4 g32")));
        const auto entry = config::makeScheme("wide", "{preset: 8da4w, weight: {group_size: 64}}");
        w->session.draft.edit(QStringLiteral("x"), [&](records::Recipe& r) { r.schemes.push_back(*entry); });
        QCOMPARE(words("model.layers.0.mlp.down_proj.weight"), QStringLiteral("qat.weight: group_size 64 does not divide 96 columns"));
        QVERIFY(words("model.embed_tokens.weight").contains(QLatin1String("no embedding block")));
    }

    void errorsNameTheFile_data() {
        QTest::addColumn<int>("harm");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("file");
        QTest::newRow("truncated shard") << 0 << QStringLiteral("model.truncated") << QStringLiteral("model-00002-of-00002.safetensors");
        QTest::newRow("missing shard") << 1 << QStringLiteral("model.shard_missing") << QStringLiteral("model-00002-of-00002.safetensors");
        QTest::newRow("architecture") << 2 << QStringLiteral("model.unsupported_arch") << QStringLiteral("mamba");
    }
    void errorsNameTheFile() {
        QFETCH(int, harm);
        QFETCH(QString, code);
        QFETCH(QString, file);
        const auto dir = m_dir.path() / ("bad" + std::to_string(harm));
        const std::string config = test::tinyConfig("llama");
        QVERIFY(test::writeTinyModel(dir, config, test::tinyTensors(config, false), 2));
        const auto shard = dir / "model-00002-of-00002.safetensors";
        if (harm == 0) std::filesystem::resize_file(shard, std::filesystem::file_size(shard) - 100);
        if (harm == 1) std::filesystem::remove(shard);
        if (harm == 2) test::writeText(dir / "config.json", test::tinyConfig("mamba"));
        auto w = make();
        w->session.recent.note(kSample, false);
        w->session.model.open(QString::fromStdString(dir.string()));
        QTRY_COMPARE(w->state(), QStringLiteral("error"));
        // Below the banner stands which folder it was, and what else can be done.
        QVERIFY(w->find<QWidget>("modelTrouble")->isVisible());
        QVERIFY(w->find<QLabel>("troubleHeading")->text().contains(QString::fromStdString(dir.filename().string())));
        QVERIFY(w->find<QPushButton>("troubleRecent")->text().contains(kSample));
        for (const char* name : {"troubleChoose", "troubleSample", "troubleGuide"}) QVERIFY(w->find<QPushButton>(name)->isVisible());
        auto* banner = w->find<QWidget>("bannerError");
        QVERIFY(banner->isVisible());
        QCOMPARE(banner->property("code").toString(), code);
        QVERIFY2(banner->accessibleName().contains(file), qPrintable(banner->accessibleName()));
        QStringList ways;
        for (auto* button : banner->findChildren<QPushButton*>()) ways << button->text();
        QVERIFY(ways.contains(QStringLiteral("Reload")) && ways.contains(QStringLiteral("Choose another…")));
        if (harm == 0)
            QVERIFY2(banner->accessibleName().contains(QRegularExpression(QStringLiteral("\\d{3}"))),
                     qPrintable(banner->accessibleName())); // bytes
        // What was wrong is put right: Reload shows the model.
        QVERIFY(test::writeTinyModel(dir, config, test::tinyTensors(config, false), 2));
        w->actions.find(QStringLiteral("model.reload"))->trigger();
        QTRY_COMPARE(w->state(), QStringLiteral("ready"));
    }

    void sizesStay() {
        QByteArray header;
        {
            auto w = make();
            w->session.model.open(kSample);
            QTRY_COMPARE(w->state(), QStringLiteral("ready"));
            w->find<QTreeView>("modelTree")->header()->resizeSection(0, 333);
            w->find<QTreeView>("modelTree")->sortByColumn(ModelTree::Bytes, Qt::DescendingOrder);
            w->page.saveViewState();
        }
        auto w = make();
        QCOMPARE(w->find<QTreeView>("modelTree")->header()->sectionSize(0), 333);
        QCOMPARE(w->find<QTreeView>("modelTree")->header()->sortIndicatorSection(), int(ModelTree::Bytes));
    }

    void everyWidgetHasAName() {
        auto w = make();
        w->session.model.open(kSample);
        QTRY_COMPARE(w->state(), QStringLiteral("ready"));
        const QStringList nameless = test::withoutName(w->page);
        QVERIFY2(nameless.isEmpty(), qPrintable(nameless.join(QStringLiteral(" | "))));
    }

    void pictures_data() { test::pictureRows(); }
    void pictures() {
        QFETCH(bool, dark);
        QFETCH(QSize, size);
        Theme::instance().choose(dark ? Theme::Choice::Dark : Theme::Choice::Light);
        std::filesystem::remove(m_dir.path() / "s.ini");
        auto w = make();
        w->page.resize(size);
        test::picture(w->page, "model-empty");
        w->session.model.open(kSample);
        QTRY_COMPARE(w->state(), QStringLiteral("ready"));
        QTRY_VERIFY(w->find<WeightMicroscope>("weightMicroscope")->isExact());
        test::picture(w->page, "model-ready");
        QTRY_COMPARE(test::clipped(w->page), QStringList()); // the layout follows the last text
        QCOMPARE(w->page.size(), size);                      // nothing in it is too wide
        w->session.model.open(folder("bad1x"));
        QTRY_COMPARE(w->state(), QStringLiteral("error"));
        test::picture(w->page, "model-error");
    }
};

QTEST_MAIN(ModelPageTest)
#include "tst_model_page.moc"
