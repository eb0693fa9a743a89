"""The 35 scenes of TOP-01."""

from domain.scene.catalogue import scenes


def test_there_are_35_scenes_coded_in_the_order_of_the_catalogue() -> None:
    assert [scene.code for scene in scenes()] == [f"S{number:02}" for number in range(1, 36)]
    assert len({scene.name for scene in scenes()}) == 35


def test_the_scenes_begin_with_dairy_and_end_with_small_service_places() -> None:
    names = [scene.name for scene in scenes()]
    assert (names[0], names[12], names[34]) == ("乳品安全", "小餐饮", "七小服务场所")
