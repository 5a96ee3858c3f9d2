"""Generator of the demo county 云溪县 (虚构演示数据): everything it makes is invented."""
