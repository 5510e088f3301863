from headway.serving.deployments import open_deployment
from headway.serving.limits import Limits
from headway.serving.observing import Silent
from tests.serving.conftest import make_service
from tests.serving.packages import write_tiny


class Heard(Silent):
    def __init__(self):
        self.opened_ones = []

    def opened(self, event):
        self.opened_ones.append((event.name, event.version, event.task, event.path))


def test_the_observer_hears_of_each_package_that_is_served_and_where_it_lies(tmp_path):
    heard = Heard()
    service = make_service("values", observer=heard)
    package = write_tiny(tmp_path / "newer")
    opened = open_deployment(package, name="mine", limits=Limits(), threads=1)
    service.put(opened, swapped=True)
    first, second = heard.opened_ones
    assert (first[0], first[2:]) == ("values", ("regress", None))
    assert second == ("mine", opened.version, "classify", str(package))
