"""The text that help(zc.zk.testing) shows is true."""

from __future__ import annotations

import doctest
import unittest

import zc.zk.testing


def test_the_examples_of_the_modules_documentation_work() -> None:
    suite = doctest.DocTestSuite(
        zc.zk.testing, setUp=zc.zk.testing.setUp, tearDown=zc.zk.testing.tearDown
    )
    result = unittest.TestResult()
    suite.run(result)
    assert result.testsRun == 1
    assert not result.errors + result.failures, (result.errors + result.failures)[0][1]
