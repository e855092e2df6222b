// SPDX-License-Identifier: GPL-3.0-or-later
#include "base/digest.h"
#include "base/error.h"
#include "base/files.h"
#include "base/ids.h"
#include "base/utf8.h"
#include "test_data.h"

#include <fstream>
#include <sys/stat.h>

class BaseTest : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void ulidsSortByCreation() {
        std::string last;
        for (int i = 0; i < 5000; ++i) {
            const std::string id = qw::newUlid();
            QCOMPARE(id.size(), size_t{26});
            QVERIFY(last < id);
            last = id;
        }
    }
    void slugs() {
        QCOMPARE(qw::slug("8da4w g32 (QAT)"), std::string("8da4w-g32-qat"));
        QCOMPARE(qw::slug("///"), std::string("unnamed"));
        QCOMPARE(qw::slug(std::string(100, 'a')).size(), size_t{40});
    }
    void digests() {
        // FIPS 180-2 appendix B.1; XXH3-128 of the empty input from the xxHash specification.
        QCOMPARE(qw::sha256Hex("abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
        QCOMPARE(qw::xxh3Hex(""), std::string("99aa06d3014798d86001c324468d497f"));
        qw::Xxh3 parts;
        parts.add("ab");
        parts.add("c");
        QCOMPARE(parts.hex(), qw::xxh3Hex("abc"));
    }
    void utf8() {
        size_t replaced = 0;
        QVERIFY(!qw::firstInvalidUtf8("a\xC3\xA9\xF0\x9F\x99\x82"));
        QCOMPARE(qw::firstInvalidUtf8("a\xED\xA0\x80"), std::optional<size_t>(1));
        QCOMPARE(qw::replaceInvalidUtf8("a\xF0\x9F\x99z\xC0\x80", replaced), std::string("a\uFFFDz\uFFFD\uFFFD"));
        QCOMPARE(replaced, size_t{3});
        QCOMPARE(qw::countCodePoints("350\u00baf"), size_t{5});
    }
    void atomicWriteKeepsOldContentOnError() {
        const qw::test::TempDir dir;
        const auto file = dir.path() / "a.txt";
        QVERIFY(qw::writeFileAtomic(file, "one").ok());
        QCOMPARE(*qw::readFile(file), std::string("one"));
        const auto missing = qw::writeFileAtomic(dir.path() / "no" / "b.txt", "two");
        QVERIFY(!missing.ok());
        QCOMPARE(missing.error().code, std::string("file.not_found"));
        QCOMPARE(std::distance(std::filesystem::directory_iterator(dir.path()), {}), std::ptrdiff_t{1});
    }
    void readFileRefusesPipesAndFolders() {
        const qw::test::TempDir dir;
        QCOMPARE(qw::readFile(dir.path()).error().code, std::string("file.unsafe"));
        QCOMPARE(::mkfifo((dir.path() / "pipe").c_str(), 0600), 0);
        QCOMPARE(qw::readFile(dir.path() / "pipe").error().code, std::string("file.unsafe"));
    }
    void exitCodes() {
        QCOMPARE(qw::exitCode("config.unknown_key"), 3);
        QCOMPARE(qw::exitCode("model.format"), 4);
        QCOMPARE(qw::exitCode("store.locked"), 75);
        QCOMPARE(qw::exitCode("store.corrupt"), 4);
        QCOMPARE(qw::exitCode("engine.oom"), 6);
        QCOMPARE(qw::exitCode("something.else"), 70);
    }
};

QTEST_GUILESS_MAIN(BaseTest)
#include "tst_base.moc"
