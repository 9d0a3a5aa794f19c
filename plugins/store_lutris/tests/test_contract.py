from punktfunk.testing import PluginContract


class TestLutrisPlugin(PluginContract):
    name = "lutris"
