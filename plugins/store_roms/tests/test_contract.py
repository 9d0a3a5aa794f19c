from punktfunk.testing import PluginContract


class TestRomsPlugin(PluginContract):
    name = "roms"
